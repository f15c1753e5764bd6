import { openQuarantine } from '../../shared/stores/open-stores.ts';
import type { Quarantine } from '../../shared/stores/quarantine.ts';
import type { PartDeps } from './part.ts';

/** The quarantine as one part has it open; what goes because it is full is counted. */
export function openPartQuarantine(
  deps: Pick<PartDeps<never>, 'setup' | 'metrics'>,
): Promise<Quarantine> {
  const evicted = deps.metrics.counter(
    'tollgate_quarantine_evicted_total',
    'Records that left a full quarantine.',
  );
  return openQuarantine(deps.setup, (records) => evicted({}, records));
}
