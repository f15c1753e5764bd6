import { QUERY_STATES, queryStateCode } from '../../../shared/contracts/progress-record.ts';
import { VERDICTS } from '../../../shared/contracts/rest.ts';
import { applicationKey } from '../../../shared/stores/journal.ts';
import type { ApplicationCost } from '../../../shared/stores/ledger-reader.ts';
import type { MetricReader } from '../../../shared/stores/metric-store.ts';
import { DAY_MS, HOUR_MS, type Instant, SECOND_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { costOf } from './application-cost.ts';
import { isPast } from './is-past.ts';
import { matchesNames } from './matches-names.ts';
import { median } from './median.ts';
import { readProjects } from './read-projects.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';
import { type Trigger, triggerInterval } from './trigger-interval.ts';

type Deps = Pick<SignalDeps, 'metrics' | 'ledger' | 'applications' | 'clock'>;
type Config = SignalOf<'stream'>;
type Row = Awaited<ReturnType<MetricReader['latest']>>[number];

const MEASUREMENT = 'streaming_query';
const SHOWN_MS = DAY_MS;
/** One that was stopped is looked at for a shorter time: there is nothing to do about it. */
const SHOWN_ENDED_MS = HOUR_MS;
/** What a past moment is put together from. */
const PAST_MS = 6 * HOUR_MS;
const FIELDS = ['state', 'verdict', 'lag', 'last_batch_ms', 'trigger_ms', 'state_rows'] as const;
const RUNNING_MAX = 100_000;
const SERIES_MAX = 20_000;

interface Told {
  readonly value: number | undefined;
  readonly why: string;
  readonly evidence: Sample['evidence'];
}

interface Look {
  readonly project: ProjectId;
  readonly at: Instant;
}

async function rowsAt(deps: Deps, { project, at }: Look): Promise<Row[]> {
  const { metrics } = deps;
  if (!isPast(deps, at)) return await metrics.latest(project, MEASUREMENT, at - SHOWN_MS);
  const rows = new Map<string, Row>();
  for (const field of FIELDS) {
    const window = { from: at - PAST_MS, until: at + 1, stepMs: 0, aggregate: 'last' as const };
    const series = await metrics.query(project, {
      ...{ measurement: MEASUREMENT, field, ...window, limit: SERIES_MAX },
    });
    for (const { tags, points } of series) {
      const last = points.at(-1);
      if (last === undefined) continue;
      const key = JSON.stringify([tags['cluster'], tags['query'], tags['run']]);
      const row = rows.get(key) ?? { tags, at: last[0], fields: {} };
      row.fields[field] = last[1];
      rows.set(key, { ...row, at: Math.max(row.at, last[0]) });
    }
  }
  return [...rows.values()];
}

const keyOf = ({ tags }: Pick<Row, 'tags'>): string => `${tags['cluster']}\n${tags['query']}`;

/** One a query: its latest run, since an id survives restarts. */
function latestRuns(rows: readonly Row[]): Row[] {
  const latest = new Map<string, Row>();
  for (const row of rows) {
    const other = latest.get(keyOf(row));
    if (other === undefined || other.at < row.at) latest.set(keyOf(row), row);
  }
  return [...latest.values()];
}

function isWanted({ names, clusters }: Config, { tags, fields, at }: Row, now: Instant): boolean {
  const since = fields['last_batch_ms'] ?? at;
  const isOld = fields['state'] === queryStateCode('terminated') && since < now - SHOWN_ENDED_MS;
  const isThere = clusters === undefined || clusters.includes(tags['cluster'] ?? '');
  return !isOld && isThere && matchesNames(names, tags['name'] ?? '');
}

function fieldOf(row: Row, field: string, unit = ''): Told {
  const value = row.fields[field];
  const why = value === undefined ? `nobody told its ${field}` : '';
  return { value, why, evidence: [seen([field, value, unit], 'progress', row.at)] };
}

/** Only the collector knows a silence from a pause between two batches. */
function silence(row: Row, at: Instant): Told {
  const last = row.fields['last_batch_ms'] ?? row.at;
  const isSilent = row.fields['state'] === queryStateCode('silent');
  const value = isSilent ? Math.max(0, at - last) / SECOND_MS : 0;
  return { value, why: '', evidence: [seen(['silent for', value, 's'], 'progress', row.at)] };
}

/** Points of a field of each query's latest run, by keyOf. */
async function history(
  { metrics }: Deps,
  field: string,
  { project, at }: Look,
  windowMs: number,
): Promise<Map<string, readonly (readonly [Instant, number])[]>> {
  const window = { from: at - windowMs, until: at + 1, stepMs: 0, aggregate: 'last' as const };
  const series = await metrics.query(project, {
    ...{ measurement: MEASUREMENT, field, ...window, limit: SERIES_MAX },
  });
  const latest = new Map<string, readonly (readonly [Instant, number])[]>();
  for (const { tags, points } of series) {
    const key = keyOf({ tags });
    const other = latest.get(key)?.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
    if ((points.at(-1)?.[0] ?? other) > other) latest.set(key, points);
  }
  return latest;
}

type Points = readonly (readonly [Instant, number])[];

function triggerShare(
  { interval }: Config & { measure: 'trigger-share' },
  row: Row,
  points: Points,
): Told {
  const triggers: Trigger[] = points.map(([end, ms]) => ({ start: end - ms, ms }));
  const every = interval ?? triggerInterval(triggers);
  const ms = median(points.map(([, value]) => value));
  const value = ms === undefined || every === undefined ? undefined : ms / every;
  const unknown = ms === undefined ? 'no trigger in the window' : 'its interval is not known';
  return {
    value,
    why: value === undefined ? unknown : '',
    evidence: [
      seen(['triggers over their interval', value, 'times'], 'progress', row.at),
      seen(['median trigger', ms, 'ms'], 'progress', row.at),
      seen(['trigger interval', every, 'ms'], interval === undefined ? 'progress' : 'rule', row.at),
    ],
  };
}

/** Thirds instead of ends, since a state store breathes with its watermark. */
function stateGrowth(
  { window, minimum }: Config & { measure: 'state-growth' },
  row: Row,
  points: Points,
  at: Instant,
): Told {
  const third = window / 3;
  const rowsIn = (from: Instant, until: Instant) =>
    median(points.filter(([time]) => time >= from && time < until).map(([, rows]) => rows));
  const before = rowsIn(at - window, at - window + third);
  const now = rowsIn(at - third, at + 1);
  const told = (value: number | undefined, why = ''): Told => ({
    value,
    why,
    evidence: [
      seen(['state growth', value, '%'], 'progress', row.at),
      seen(['state rows before', before, 'rows'], 'progress', row.at),
      seen(['state rows', now, 'rows'], 'progress', row.at),
    ],
  });
  if (now === undefined || before === undefined) {
    return told(undefined, 'the window is not filled yet');
  }
  if (now < minimum) return told(0);
  return before === 0
    ? told(undefined, 'divided by zero: it was empty')
    : told((100 * (now - before)) / before);
}

async function telling(config: Config, deps: Deps, look: Look): Promise<(row: Row) => Told> {
  switch (config.measure) {
    case 'verdict':
      return (row) => fieldOf(row, 'verdict');
    case 'state':
      return (row) => fieldOf(row, 'state');
    case 'lag':
      return (row) => fieldOf(row, 'lag', 'records');
    case 'silence':
      return (row) => silence(row, look.at);
    case 'trigger-share': {
      const points = await history(deps, 'trigger_ms', look, config.window);
      return (row) => triggerShare(config, row, points.get(keyOf(row)) ?? []);
    }
    case 'state-growth': {
      const points = await history(deps, 'state_rows', look, config.window);
      return (row) => stateGrowth(config, row, points.get(keyOf(row)) ?? [], look.at);
    }
  }
}

function sampleOf(
  row: Row,
  project: ProjectId,
  application: ApplicationCost | undefined,
  told: Told,
): Sample {
  const { cluster = '', query = '', name = '' } = row.tags;
  const verdict = VERDICTS[row.fields['verdict'] ?? 0] ?? 'ok';
  const state = QUERY_STATES[row.fields['state'] ?? 0] ?? 'running';
  return {
    labels: { project, cluster, query, name },
    project,
    target: { kind: 'streaming-query', cluster, id: query, startedAt: undefined },
    annotations: {
      ...{ verdict, state, lag: String(row.fields['lag'] ?? 'unknown') },
      ...{ application: row.tags['application'] ?? '', run: row.tags['run'] ?? '' },
    },
    cost: application === undefined ? undefined : costOf(application),
    ...told,
  };
}

/** A query is the same over its restarts; what is told is of its latest run. */
export function readStream(config: Config, deps: Deps): ReadSubjects {
  return async (at, _limit, signal) => {
    const running = await deps.applications.runningAt(at, RUNNING_MAX);
    const costs = new Map(running.map((one) => [applicationKey(one), one]));
    const newest: Instant[] = [];
    const samples = await readProjects(deps, config.projects, signal, async (project) => {
      const look = { project, at };
      const rows = await rowsAt(deps, look);
      newest.push(...rows.map((row) => row.at));
      const wanted = latestRuns(rows).filter((row) => isWanted(config, row, at));
      if (wanted.length === 0) return [];
      const tell = await telling(config, deps, look);
      return wanted.map((row) => {
        const { cluster = '', application = '' } = row.tags;
        const known = costs.get(applicationKey({ cluster, application }));
        return sampleOf(row, project, known, tell(row));
      });
    });
    // The newest of all: a query that stopped to report must not make its own alert stale.
    const watermark = newest.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    return wholeRead(samples, newest.length === 0 ? [] : [Math.min(watermark, at)]);
  };
}
