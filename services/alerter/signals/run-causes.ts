import type { ApplicationRef } from '../../../shared/stores/application-watch.ts';
import type { WorkloadRun } from '../../../shared/stores/workload-reader.ts';
import { type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { median } from './median.ts';
import type { SignalDeps } from './signal-deps.ts';

type Deps = Pick<SignalDeps, 'metrics' | 'ledger'>;

/** As many runs before are compared; each is a read of its own. */
const COMPARED = 5;
/** Less of a difference explains nothing. */
const WORTH_TELLING = 1.3;
const RETRIED_PERCENT = 5n;
const SERIES_MAX = 100;

/** A run that is dearer or longer than those before it. */
export interface Suspect extends ApplicationRef {
  readonly project: ProjectId;
  readonly start: Instant;
  readonly end: Instant;
}

type Spent = Pick<WorkloadRun, 'chargedAt'>;

/** Mean price step, weighted by what was charged at it; undefined where nothing was. */
function meanStep({ chargedAt }: Spent): number | undefined {
  const total = chargedAt.reduce((sum, { microcredits }) => sum + microcredits, 0n);
  if (total <= 0n) return undefined;
  const weighted = chargedAt.reduce((sum, one) => sum + BigInt(one.step) * one.microcredits, 0n);
  return Number(weighted / total) / 1_000;
}

function priceCause(run: Spent | undefined, before: readonly Spent[]): string[] {
  const now = run === undefined ? undefined : meanStep(run);
  const usual = median(before.flatMap((one) => meanStep(one) ?? []));
  if (now === undefined || usual === undefined || now < usual * 1.1) return [];
  return [`price ${now.toFixed(2)} X, usually ${usual.toFixed(2)} X`];
}

/** What the agent counted of a run, at its last word; undefined where none told or it is forgotten. */
async function counted(
  { metrics }: Deps,
  project: ProjectId,
  run: ApplicationRef & { readonly start: Instant; readonly end: Instant },
  field: string,
): Promise<number | undefined> {
  const series = await metrics.query(project, {
    ...{ measurement: 'spark_activity', field, tags: { application: run.application } },
    ...{ from: run.start, until: run.end + MINUTE_MS, stepMs: MINUTE_MS },
    ...{ aggregate: 'last' as const, limit: SERIES_MAX },
  });
  const mine = series.filter(({ tags }) => tags['cluster'] === run.cluster);
  const last = mine.flatMap(({ points }) => points.at(-1)?.[1] ?? []);
  return last.length === 0 ? undefined : last.reduce((a, b) => a + b);
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

async function bytesCause(
  deps: Deps,
  suspect: Suspect,
  before: readonly WorkloadRun[],
  [field, verb]: readonly [field: string, verb: string],
): Promise<string[]> {
  const now = await counted(deps, suspect.project, suspect, field);
  if (now === undefined || now === 0) return [];
  const past: number[] = [];
  for (const run of before.slice(0, COMPARED)) {
    const bytes = await counted(deps, suspect.project, run, field);
    if (bytes !== undefined) past.push(bytes);
  }
  const usual = median(past);
  if (usual === undefined) return [];
  if (usual === 0) return [`${verb} ${gigabytes(now)}, usually nothing`];
  const ratio = now / usual;
  if (ratio < WORTH_TELLING) return [];
  return [
    `${verb} ${ratio.toFixed(1)} times as much (${gigabytes(now)}, usually ${gigabytes(usual)})`,
  ];
}

async function retriesCause({ ledger }: Deps, suspect: Suspect): Promise<string[]> {
  const { project, cluster, application } = suspect;
  const outcomes = await ledger.outcomes(project, cluster, application);
  const total = outcomes.reduce((sum, { charged }) => sum + charged, 0n);
  const retried = outcomes
    .filter(({ outcome }) => outcome === 'retried-attempt')
    .reduce((sum, { charged }) => sum + charged, 0n);
  const percent = total > 0n ? (100n * retried) / total : 0n;
  return percent < RETRIED_PERCENT ? [] : [`${percent} % went into attempts that were tried again`];
}

/**
 * Why a run is dearer or longer than those before it, as far as stores tell: input, price, spill,
 * retries.
 *
 * @param charged at which prices this run was charged; undefined while that isn't known
 */
export async function runCauses(
  deps: Deps,
  suspect: Suspect,
  before: readonly WorkloadRun[],
  charged: Spent | undefined,
): Promise<string> {
  const causes = [
    ...(await bytesCause(deps, suspect, before, ['readBytes', 'read'])),
    ...priceCause(charged, before),
    ...(await bytesCause(deps, suspect, before, ['spilledBytes', 'spilled'])),
    ...(await retriesCause(deps, suspect)),
  ];
  return causes.length === 0 ? 'no cause is told by what is stored' : causes.join('; ');
}
