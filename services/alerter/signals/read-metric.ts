import type { AlertTarget } from '../../../shared/contracts/alert.ts';
import type { Aggregate, SeriesPoints } from '../../../shared/stores/metric-store.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { DAY_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { readProjects } from './read-projects.ts';
import { type MetricFunction, reducePoints } from './reduce-points.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<SignalDeps, 'metrics' | 'ledger'>;
type Config = SignalOf<'metric'>;
type Labels = Readonly<Record<string, string>>;

/** Raw points are kept for two days; before that a minute is one point. */
const RAW_MS = 2 * DAY_MS;
/** More than subjects, since several series may be one. */
const SERIES_PER_SUBJECT = 20;
const SERIES_MAX = 20_000;

const MINUTES: Readonly<Record<MetricFunction, Aggregate>> = {
  ...{ last: 'last', mean: 'mean', min: 'min', max: 'max', sum: 'sum', count: 'count' },
  ...{ increase: 'last', slope: 'last' },
};

interface Asked {
  readonly measurement: string;
  readonly field: string;
  readonly tags: Labels | undefined;
  readonly function: MetricFunction;
}

/** The numbers of one subject's series. */
interface Subject {
  readonly labels: Labels;
  readonly values: number[];
  newest: Instant;
}

interface Look {
  readonly project: ProjectId;
  readonly at: Instant;
  readonly limit: number;
}

function labelsOf({ by }: Config, tags: Labels, project: ProjectId): Labels {
  const names = by ?? Object.keys(tags);
  return { ...Object.fromEntries(names.map((name) => [name, tags[name] ?? ''])), project };
}

function combined({ combine }: Config, values: readonly number[]): number | undefined {
  return reducePoints(
    combine,
    values.map((value, index) => [index, value]),
  );
}

async function subjects(
  config: Config,
  { metrics }: Deps,
  asked: Asked,
  { project, at, limit }: Look,
): Promise<Map<string, Subject>> {
  const isRaw = config.window <= RAW_MS;
  const series: SeriesPoints[] = await metrics.query(project, {
    measurement: asked.measurement,
    field: asked.field,
    ...(asked.tags === undefined ? {} : { tags: asked.tags }),
    from: at - config.window,
    until: at + 1,
    stepMs: isRaw ? 0 : MINUTE_MS,
    aggregate: isRaw ? 'last' : MINUTES[asked.function],
    limit: Math.min(limit * SERIES_PER_SUBJECT, SERIES_MAX),
  });
  const found = new Map<string, Subject>();
  for (const { tags, points } of series) {
    // Minutes of a count are numbers of points, which add up.
    const fn = !isRaw && asked.function === 'count' ? 'sum' : asked.function;
    const value = reducePoints(fn, points);
    const newest = points.at(-1)?.[0];
    if (value === undefined || newest === undefined) continue;
    const labels = labelsOf(config, tags, project);
    const key = canonicalJson(labels);
    const subject = found.get(key) ?? { labels, values: [], newest };
    subject.values.push(value);
    subject.newest = Math.max(subject.newest, newest);
    found.set(key, subject);
  }
  return found;
}

function targetOf(labels: Labels, project: ProjectId): AlertTarget {
  const { application = '', cluster = '' } = labels;
  if (application !== '')
    return { kind: 'application', cluster, id: application, startedAt: undefined };
  if (cluster !== '') return { kind: 'cluster', cluster, id: cluster, startedAt: undefined };
  return { kind: 'project', cluster: '', id: project, startedAt: undefined };
}

interface Divided {
  readonly value: number | undefined;
  readonly why: string;
  readonly by: number | undefined;
}

function divided({ divisor }: Config, value: number, divisors: () => number | undefined): Divided {
  if (divisor === undefined) return { value, why: '', by: undefined };
  const by = typeof divisor === 'number' ? divisor : divisors();
  if (by === undefined) {
    return { value: undefined, why: 'what it is divided by has no points in the window', by };
  }
  return by === 0
    ? { value: undefined, why: 'divided by zero', by }
    : { value: value / by, why: '', by };
}

async function samplesOf(config: Config, deps: Deps, look: Look): Promise<Sample[]> {
  const { divisor, unit } = config;
  const asked: Asked = { ...config, tags: config.tags };
  const found = await subjects(config, deps, asked, look);
  const divisors =
    typeof divisor === 'object'
      ? await subjects(
          config,
          deps,
          {
            measurement: divisor.measurement ?? config.measurement,
            field: divisor.field,
            tags: divisor.tags ?? config.tags,
            function: divisor.function ?? config.function,
          },
          look,
        )
      : undefined;
  return [...found].flatMap(([key, { labels, values, newest }]) => {
    const sum = combined(config, values);
    if (sum === undefined) return [];
    const { value, why, by } = divided(config, sum, () =>
      combined(config, divisors?.get(key)?.values ?? []),
    );
    const evidence = [seen([`${config.function} ${config.field}`, sum, unit], 'metrics', newest)];
    if (by !== undefined) evidence.push(seen(['divided by', by, ''], 'metrics', newest));
    return [
      {
        ...{ labels, project: look.project, target: targetOf(labels, look.project) },
        ...{ value, why, evidence, annotations: {}, cost: undefined },
      },
    ];
  });
}

/**
 * Subjects are what has points in the window. Read as new as the newest point of all, so that one
 * series that ends makes nothing stale: it is gone when its points have left the window.
 */
export function readMetric(config: Config, deps: Deps): ReadSubjects {
  return async (at, limit, signal) => {
    const samples = await readProjects(deps, config.projects, signal, (project) =>
      samplesOf(config, deps, { project, at, limit }),
    );
    const newest = samples.reduce(
      (max, { evidence }) => Math.max(max, evidence[0]?.watermark ?? max),
      Number.NEGATIVE_INFINITY,
    );
    return wholeRead(samples, samples.length === 0 ? [] : [newest]);
  };
}
