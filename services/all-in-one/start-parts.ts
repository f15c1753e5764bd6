import { systemClock } from '../../shared/runtime/clock.ts';
import { hasCheckpoints } from '../../shared/stores/open-stores.ts';
import type { TollgateConfig } from './config.ts';
import type { PartData, PartName, Role, RunningPart } from './part.ts';
import { partOnDemand } from './part-on-demand.ts';
import { startInline } from './start-inline.ts';
import { startThread } from './start-thread.ts';

/** What the progress collector remembers, its queries among it, is kept under such names. */
const PROGRESS_CHECKPOINTS = 'progress:';

export type Parts = Readonly<Partial<Record<PartName, RunningPart>>>;
type Data = PartData<TollgateConfig>;
type OnCrash = (part: string, error: unknown) => void;

/** Whether a part has work of its own before anybody pushes something to it. */
async function isNeeded(
  name: 'ledger' | 'metrics',
  { config, setup, roles }: Data,
): Promise<boolean> {
  const { containers, metrics, progress } = config;
  if (roles.includes('meter')) return true;
  if (name === 'ledger') return containers.clusters.length > 0 || containers.kafka !== undefined;
  const sources = [metrics.graphite, metrics.prometheus, progress.files];
  if (sources.some(({ length }) => length > 0)) return true;
  if (metrics.kafka !== undefined || progress.kafka !== undefined) return true;
  // Queries that were pushed before a restart may have fallen silent.
  return await hasCheckpoints(setup, PROGRESS_CHECKPOINTS, { clock: systemClock });
}

/** The ledger first, since the others look applications up in its file. */
export async function startParts(
  data: Data,
  resources: AsyncDisposableStack,
  onCrash: OnCrash,
): Promise<Parts> {
  const { threads } = data.config;
  const begin = (name: PartName): Promise<RunningPart> =>
    threads ? startThread(name, data, onCrash) : startInline(name, data);
  const start = async (name: PartName): Promise<RunningPart> => resources.use(await begin(name));
  const collector = async (name: 'ledger' | 'metrics'): Promise<RunningPart> =>
    (await isNeeded(name, data))
      ? start(name)
      : resources.use(partOnDemand(name, () => begin(name)));
  const does = (...roles: readonly Role[]): boolean =>
    roles.some((role) => data.roles.includes(role));
  const parts: Partial<Record<PartName, RunningPart>> = {};
  if (does('collect', 'meter')) parts.ledger = await collector('ledger');
  if (does('collect')) {
    // When one fails, the other must have started to be stopped.
    const [logs, metrics] = await Promise.allSettled([start('logs'), collector('metrics')]);
    if (logs.status === 'rejected') throw logs.reason;
    if (metrics.status === 'rejected') throw metrics.reason;
    [parts.logs, parts.metrics] = [logs.value, metrics.value];
  }
  if (does('alert')) parts.alerts = await start('alerts');
  if (does('serve')) {
    parts.search = await start('search');
    parts.replay = resources.use(partOnDemand('replay', () => begin('replay')));
  }
  return parts;
}
