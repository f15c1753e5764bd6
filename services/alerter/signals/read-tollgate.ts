import type { AlertEvidence } from '../../../shared/contracts/alert.ts';
import {
  HOUR_MS,
  type Instant,
  MINUTE_MS,
  SECOND_MS,
  utcHour,
} from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { readProjects } from './read-projects.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<
  SignalDeps,
  | 'tollgate'
  | 'applications'
  | 'journal'
  | 'clusters'
  | 'quarantine'
  | 'outbox'
  | 'spending'
  | 'ledger'
>;
type Config = SignalOf<'tollgate'>;
type Labels = Readonly<Record<string, string>>;

/** A cluster that nobody polls tells no load: the meter's own progress is all there is. */
const LOADS_WITHIN_MS = 24 * HOUR_MS;
const LOADS_MAX = 20_000;

interface Told {
  readonly value: number | undefined;
  readonly why?: string;
  readonly evidence: readonly AlertEvidence[];
  readonly annotations?: Labels;
}

/** What an alert of Tollgate itself is about; `labels` tell its parts apart. */
function sampleOf(labels: Labels, { why = '', annotations = {}, ...told }: Told): Sample {
  const id = Object.values(labels).join('/') || 'tollgate';
  return {
    labels,
    project: undefined,
    target: { kind: 'tollgate', cluster: '', id, startedAt: undefined },
    cost: undefined,
    why,
    annotations,
    ...told,
  };
}

const secondsSince = (then: Instant, at: Instant): number => Math.max(0, at - then) / SECOND_MS;

/** When a cluster's load was last told, looked for further and further back. */
async function lastLoad(
  { journal }: Deps,
  cluster: string,
  at: Instant,
): Promise<Instant | undefined> {
  for (const back of [5 * MINUTE_MS, HOUR_MS, LOADS_WITHIN_MS]) {
    const loads = await journal.loads(cluster, at - back, at + 1, LOADS_MAX);
    const last = loads.at(-1);
    if (last !== undefined) return last.at;
  }
  return undefined;
}

async function ingestionLag(deps: Deps, at: Instant): Promise<Sample[]> {
  const settled = await deps.applications.settledUntil();
  const samples: Sample[] = [];
  for (const cluster of deps.clusters) {
    const heard = await lastLoad(deps, cluster, at);
    const known = [settled, heard].filter((one) => one !== undefined);
    const value = known.length === 0 ? undefined : secondsSince(Math.min(...known), at);
    const ago = (then: Instant | undefined) => (then === undefined ? then : secondsSince(then, at));
    samples.push(
      sampleOf(
        { cluster },
        {
          value,
          why: value === undefined ? 'nothing was metered yet' : '',
          evidence: [
            seen(['seconds behind', ago(settled), 's'], 'meter', at),
            seen(['seconds since its load was told', ago(heard), 's'], 'journal', at),
          ],
        },
      ),
    );
  }
  return samples;
}

async function sourceSilence({ tollgate }: Deps, at: Instant): Promise<Sample[]> {
  const sources = await tollgate.sources();
  return sources.map(({ collector, source, lastAt, since, at: asOf }) => {
    const value = secondsSince(lastAt ?? since, at);
    const evidence = [seen(['seconds since the last record', value, 's'], 'collector', asOf)];
    const annotations = { ever: lastAt === undefined ? 'no record since it is watched' : '' };
    return sampleOf({ collector, source }, { value, evidence, annotations });
  });
}

async function quarantineGrowth(
  { window }: Config & { measure: 'quarantine-growth' },
  { quarantine }: Deps,
  at: Instant,
): Promise<Sample[]> {
  const [all, recent] = [await quarantine.count(), await quarantine.count({ since: at - window })];
  const byCollector = Map.groupBy(recent, ({ collector }) => collector);
  return [...new Set(all.map(({ collector }) => collector))].map((collector) => {
    const mine = (byCollector.get(collector) ?? []).toSorted((a, b) => b.records - a.records);
    const value = mine.reduce((sum, { records }) => sum + records, 0);
    const evidence = [seen(['records refused', value, 'records'], 'quarantine', at)];
    return sampleOf(
      { collector },
      { value, evidence, annotations: { reason: mine[0]?.reason ?? '' } },
    );
  });
}

async function storeUnreachable({ tollgate }: Deps): Promise<Sample[]> {
  return (await tollgate.stores()).map(({ store, error, at }) => {
    const value = error === undefined ? 0 : 1;
    const evidence = [seen(['unreachable', value, ''], store, at)];
    return sampleOf({ store }, { value, evidence, annotations: { error: error ?? '' } });
  });
}

async function outboxAge({ outbox }: Deps, at: Instant): Promise<Sample[]> {
  const { oldestAt, waiting, failing } = await outbox.status();
  const value = oldestAt === undefined ? 0 : secondsSince(oldestAt, at);
  const evidence = [
    seen(['oldest waits', value, 's'], 'outbox', at),
    seen(['waiting', waiting, 'notifications'], 'outbox', at),
  ];
  const receivers = failing.map(({ receiver, error }) => `${receiver}: ${error}`).join('; ');
  return [sampleOf({}, { value, evidence, annotations: { failing: receivers } })];
}

/** Of all charges of the window; net, so that what was attributed later no longer counts. */
async function unattributedShare(
  { window }: Config & { measure: 'unattributed-share' },
  deps: Deps,
  at: Instant,
  signal: AbortSignal,
): Promise<Sample[]> {
  const until = utcHour(at);
  const span = { from: until - utcHour(window), until };
  const sums = await readProjects(deps, undefined, signal, async (project) => {
    const hours = await deps.spending.hourlySpending(project, span);
    return [{ project, amount: hours.reduce((sum, { amount }) => sum + amount, 0n) }];
  });
  const total = sums.reduce((sum, { amount }) => sum + amount, 0n);
  const nobody = sums.find(({ project }) => project === UNATTRIBUTED)?.amount ?? 0n;
  const value = total <= 0n ? 0 : Number((nobody * 1_000_000n) / total) / 10_000;
  const evidence = [
    seen(['unattributed', value, '%'], 'ledger', until),
    seen(['unattributed', Number(formatCredits(nobody)), 'credits'], 'ledger', until),
    seen(['charged', Number(formatCredits(total)), 'credits'], 'ledger', until),
  ];
  const annotations = { credits: formatCredits(nobody) };
  return [sampleOf({}, { value, evidence, annotations })];
}

async function evaluationLag({ tollgate }: Deps, at: Instant): Promise<Sample[]> {
  const told = await tollgate.evaluation();
  if (told === undefined) return [];
  const value = secondsSince(told.dueAt, at);
  const evidence = [seen(['seconds late', value, 's'], 'alerter', told.at)];
  return [sampleOf({}, { value, evidence, annotations: { rule: told.rule } })];
}

function samplesOf(
  config: Config,
  deps: Deps,
  at: Instant,
  signal: AbortSignal,
): Promise<Sample[]> {
  switch (config.measure) {
    case 'ingestion-lag':
      return ingestionLag(deps, at);
    case 'source-silence':
      return sourceSilence(deps, at);
    case 'quarantine-growth':
      return quarantineGrowth(config, deps, at);
    case 'store-unreachable':
      return storeUnreachable(deps);
    case 'outbox-age':
      return outboxAge(deps, at);
    case 'unattributed-share':
      return unattributedShare(config, deps, at, signal);
    case 'evaluation-lag':
      return evaluationLag(deps, at);
    case 'watchdog':
      return Promise.resolve([
        sampleOf({}, { value: 1, evidence: [seen(['always', 1, ''], 'alerter', at)] }),
      ]);
  }
}

/** Of now: what processes know of themselves nobody remembers. */
export function readTollgate(config: Config, deps: Deps): ReadSubjects {
  return async (at, _limit, signal) => wholeRead(await samplesOf(config, deps, at, signal), [at]);
}
