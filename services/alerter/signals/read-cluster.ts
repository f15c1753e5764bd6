import type { ClusterSight } from '../../../shared/clusters/cluster-actuator.ts';
import type { AlertCost } from '../../../shared/contracts/alert.ts';
import { type Instant, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import { NO_RESOURCES, type Resources } from '../../../shared/values/resources.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { activityOf, clusterIdle, quietActivity } from './cluster-idle.ts';
import { isPast } from './is-past.ts';
import { namedAmong } from './named-among.ts';
import { QuietSince } from './quiet-since.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';
import { type ReadSubjects, type SubjectsRead, wholeRead } from './subjects-read.ts';

type Deps = Pick<
  SignalDeps,
  'journal' | 'clusters' | 'targets' | 'creditsPerHour' | 'applications' | 'clock'
>;
type Config = SignalOf<'cluster'>;

const LOADS_MAX = 10_000;
const RUNNING_MAX = 100_000;
const BEHIND_MS = 10 * MINUTE_MS;
const HOUR_S = 3_600n;
const NO_READER = 'nobody tells its state: its type has no reader';

interface Told {
  readonly cluster: string;
  readonly sight: ClusterSight | undefined;
  readonly why: string;
}

/** A running cluster as its manager tells it; a reader that can't be asked is no answer. */
async function look(deps: Deps, cluster: string, signal: AbortSignal): Promise<Told> {
  const sight = await deps.targets.get(cluster)?.cluster(signal);
  if (sight === undefined) return { cluster, sight, why: NO_READER };
  return { cluster, sight, why: sight.outcome === 'unknown' ? sight.why : '' };
}

function isThere({ sight }: Told): boolean {
  if (sight?.outcome === 'absent') return false;
  return (
    sight?.outcome !== 'seen' || (sight.state !== 'terminated' && sight.state !== 'terminating')
  );
}

async function capacityOf(deps: Deps, cluster: string): Promise<{ nodes: number } & Resources> {
  const nodes = (await deps.journal.nodes(cluster)).filter(({ kind }) => kind === 'node-started');
  const sum = nodes.reduce(
    (total, { capacity }) => ({
      millicores: total.millicores + capacity.millicores,
      memoryMib: total.memoryMib + capacity.memoryMib,
      gpus: total.gpus + capacity.gpus,
    }),
    NO_RESOURCES,
  );
  return { nodes: nodes.length, ...sum };
}

interface Measured {
  readonly told: Told;
  readonly value: number | undefined;
  readonly why: string;
  readonly evidence: Sample['evidence'];
  /** For how long it has cost what it costs now. */
  readonly seconds: number;
}

/** A cluster costs what all of it would cost if somebody held it. */
async function sampleOf(deps: Deps, at: Instant, measured: Measured): Promise<Sample> {
  const { told, value, why, evidence, seconds } = measured;
  const { cluster, sight } = told;
  const { nodes, ...capacity } = await capacityOf(deps, cluster);
  const perHour = await deps.creditsPerHour(cluster, capacity, at);
  const cost: AlertCost | undefined =
    perHour === undefined || nodes === 0
      ? undefined
      : {
          perHour: formatCredits(perHour),
          soFar: formatCredits((perHour * BigInt(Math.round(seconds))) / HOUR_S),
        };
  const known = sight?.outcome === 'seen' ? sight : undefined;
  return {
    labels: { cluster },
    project: undefined,
    target: { kind: 'cluster', cluster, id: cluster, startedAt: known?.startedAt },
    value,
    why,
    evidence,
    annotations: {
      nodes: String(nodes),
      cores: String(capacity.millicores / 1_000),
      owner: known?.owner ?? '',
      name: known?.name ?? cluster,
    },
    cost,
  };
}

async function ages(config: Config, deps: Deps, at: Instant, signal: AbortSignal) {
  const samples: Sample[] = [];
  const watermarks: (Instant | undefined)[] = [];
  for (const cluster of namedAmong('clusters', config.clusters, deps.clusters)) {
    const told = await look(deps, cluster, signal);
    if (!isThere(told)) continue;
    const known = told.sight?.outcome === 'seen' ? told.sight : undefined;
    const startedAt = known?.startedAt;
    const value = startedAt === undefined ? undefined : Math.max(0, at - startedAt) / SECOND_MS;
    const why = told.why || (value === undefined ? 'its manager does not tell when it began' : '');
    const watermark = known === undefined ? undefined : Math.min(known.at, at);
    watermarks.push(watermark);
    const evidence = [seen(['age', value, 's'], 'cluster manager', watermark)];
    samples.push(await sampleOf(deps, at, { told, value, why, evidence, seconds: value ?? 0 }));
  }
  return wholeRead(samples, watermarks);
}

/** Clusters on which an application runs; undefined where the ledger is too far behind to tell. */
async function runningClusters(
  { applications }: Deps,
  at: Instant,
): Promise<ReadonlySet<string> | undefined> {
  const settled = await applications.settledUntil();
  if (settled === undefined || settled < at - BEHIND_MS) return undefined;
  const running = await applications.runningAt(at, RUNNING_MAX);
  return new Set(running.map(({ cluster }) => cluster));
}

/**
 * A manager's own activity, and that nothing at all is allocated: two sources where both tell.
 * In the past only what the journal remembers counts.
 */
async function idles(
  config: Config,
  deps: Deps & { readonly quiet: QuietSince },
  at: Instant,
  signal: AbortSignal,
): Promise<SubjectsRead> {
  const samples: Sample[] = [];
  const watermarks: (Instant | undefined)[] = [];
  const running = await runningClusters(deps, at);
  for (const cluster of namedAmong('clusters', config.clusters, deps.clusters)) {
    const told = isPast(deps, at)
      ? { cluster, sight: undefined, why: '' }
      : await look(deps, cluster, signal);
    if (!isThere(told)) continue;
    const quiet = running?.has(cluster) === false ? await deps.quiet.read(cluster, at) : undefined;
    const activity = [
      ...activityOf(told.sight),
      ...(quiet === undefined ? [] : quietActivity(quiet, 'journal')),
    ];
    const idle = clusterIdle(activity, at);
    watermarks.push(...activity.map(({ asOf }) => Math.min(asOf, at)));
    const seconds = idle.idleSeconds ?? 0;
    samples.push(
      await sampleOf(deps, at, {
        ...{ told, value: idle.idleSeconds, evidence: idle.evidence, seconds },
        why: idle.why === '' ? '' : [idle.why, told.why].filter(Boolean).join('; '),
      }),
    );
  }
  return wholeRead(samples, watermarks);
}

async function loads(config: Config & { measure: 'load' }, deps: Deps, at: Instant) {
  const samples: Sample[] = [];
  const watermarks: (Instant | undefined)[] = [];
  for (const cluster of namedAmong('clusters', config.clusters, deps.clusters)) {
    const facts = await deps.journal.loads(cluster, at - config.window, at + 1, LOADS_MAX);
    if (facts.length === LOADS_MAX) {
      throw new SignalFailure(`${cluster} told more than ${LOADS_MAX} loads; shorten "window"`);
    }
    const shares = facts.flatMap(({ allocated, capacity }) =>
      capacity.millicores > 0 ? [(100 * allocated.millicores) / capacity.millicores] : [],
    );
    const value =
      shares.length === 0
        ? undefined
        : shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const none =
      facts.length === 0 ? 'nobody told its load' : 'divided by zero: it has no capacity';
    const watermark = facts.at(-1)?.at;
    watermarks.push(watermark);
    const told = { cluster, sight: undefined, why: '' };
    const evidence = [seen(['cores allocated', value, '%'], 'journal', watermark)];
    const why = value === undefined ? none : '';
    samples.push(await sampleOf(deps, at, { told, value, why, evidence, seconds: 0 }));
  }
  return wholeRead(samples, watermarks);
}

export function readCluster(config: Config, deps: Deps): ReadSubjects {
  const quiet = new QuietSince(deps);
  return async (at, _limit, signal) => {
    switch (config.measure) {
      case 'age':
        return await ages(config, deps, at, signal);
      case 'idle':
        return await idles(config, { ...deps, quiet }, at, signal);
      case 'load':
        return await loads(config, deps, at);
    }
  };
}
