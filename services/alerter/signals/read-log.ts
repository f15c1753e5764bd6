import { applicationKey } from '../../../shared/stores/journal.ts';
import type { ApplicationLines, StoredLog } from '../../../shared/stores/log-store.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { costOf } from './application-cost.ts';
import { logQuery, logTarget } from './log-query.ts';
import { oneLine } from './one-line.ts';
import { readAbsence } from './read-absence.ts';
import { readNewFingerprints } from './read-new-fingerprints.ts';
import { readProjects } from './read-projects.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<SignalDeps, 'logs' | 'ledger' | 'applications'>;
type Config = SignalOf<'log'>;
type Counted = Extract<Config, { measure: 'count' | 'spike' }>;

const RUNNING_MAX = 100_000;
/** Applications of one project whose lines are counted at once. */
const APPLICATIONS_MAX = 1_000;

interface Subject {
  readonly labels: Readonly<Record<string, string>>;
  readonly of: Pick<StoredLog, 'cluster' | 'application'>;
  readonly count: number;
  readonly newest: StoredLog;
}

function subjectsOf(
  { by }: Config,
  project: ProjectId,
  lines: readonly ApplicationLines[],
): Subject[] {
  if (by === 'application') {
    return lines.map(({ cluster, application, count, newest }) => {
      const of = { cluster, application };
      return { labels: { project, ...of }, of, count, newest };
    });
  }
  const [first, ...others] = lines;
  if (first === undefined) return [];
  const newest = others.reduce((a, b) => (b.newest.at > a.at ? b.newest : a), first.newest);
  const count = lines.reduce((sum, one) => sum + one.count, 0);
  return [{ labels: { project }, of: { cluster: '', application: '' }, count, newest }];
}

/** All lines of a window by subject. @throws SignalFailure where the store can't count them all */
async function countLines(
  config: Counted,
  { logs }: Deps,
  project: ProjectId,
  { from, until, limit }: { from: Instant; until: Instant; limit: number },
): Promise<Subject[]> {
  const query = { ...logQuery(config, { from, until }), limit };
  const { applications, complete } = await logs.countByApplication(project, query);
  if (complete) return subjectsOf(config, project, applications);
  throw new SignalFailure(
    `${project} has more lines than can be counted at once, or lines of more than ${limit} ` +
      'applications; narrow "text" or "level", or shorten "window"',
  );
}

async function counted(
  config: Counted,
  deps: Deps,
  project: ProjectId,
  { at, limit }: { readonly at: Instant; readonly limit: number },
): Promise<Sample[]> {
  const from = at - config.window;
  const now = await countLines(config, deps, project, { from, until: at, limit });
  if (config.measure === 'count') {
    return now.map((one) => sampleOf(project, one, one.count, [['lines', one.count]]));
  }
  const window = { from: from - config.window, until: from };
  const before = await countLines(config, deps, project, { ...window, limit });
  const samples: Sample[] = [];
  for (const one of now) {
    const key = JSON.stringify(one.labels);
    const earlier = before.find(({ labels }) => JSON.stringify(labels) === key)?.count ?? 0;
    const isFilled = await hasBefore(deps, project, one, window.from);
    const told = [['lines', one.count] as const, ['lines before', earlier] as const];
    if (!isFilled) {
      const sample = spikeOf(sampleOf(project, one, undefined, told));
      samples.push({ ...sample, why: 'the window before is not filled yet' });
    } else {
      const value = one.count < config.minimum ? 0 : one.count / Math.max(1, earlier);
      samples.push(spikeOf(sampleOf(project, one, value, told)));
    }
  }
  return samples;
}

function spikeOf(sample: Sample): Sample {
  const watermark = sample.evidence[0]?.watermark;
  const times = seen(['lines over those before', sample.value, 'times'], 'logs', watermark);
  return { ...sample, evidence: [times, ...sample.evidence] };
}

/** Whether the subject had any line at all before a moment: else nothing was there to compare with. */
async function hasBefore(
  { logs }: Deps,
  project: ProjectId,
  { of }: Subject,
  moment: Instant,
): Promise<boolean> {
  const { application } = of;
  const { records } = await logs.search(project, {
    ...{ from: 0, until: moment, limit: 1 },
    ...(application === '' ? {} : { application }),
  });
  return records.length > 0;
}

function sampleOf(
  project: ProjectId,
  { labels, of, newest }: Subject,
  value: number | undefined,
  told: readonly (readonly [what: string, count: number])[],
): Sample {
  return {
    labels,
    project,
    target: logTarget(project, of),
    value,
    why: '',
    evidence: told.map(([what, count]) => seen([what, count, 'lines'], 'logs', newest.at)),
    annotations: {
      ...{ example: oneLine(newest.message), level: newest.level, fingerprint: newest.fingerprint },
      ...{ container: newest.container, application: newest.application },
    },
    cost: undefined,
  };
}

async function withCosts(
  { applications }: Deps,
  samples: readonly Sample[],
  at: Instant,
): Promise<Sample[]> {
  if (samples.every(({ target }) => target.kind !== 'application')) return [...samples];
  const running = await applications.runningAt(at, RUNNING_MAX);
  const known = new Map(running.map((one) => [applicationKey(one), one]));
  return samples.map((sample) => {
    const { cluster, id: application } = sample.target;
    const one = known.get(applicationKey({ cluster, application }));
    return one === undefined ? sample : { ...sample, cost: costOf(one) };
  });
}

/**
 * A project, or application, without a line in the window is no subject of a count. How far the logs
 * of a source are behind nobody tells, so that a reading has no watermark.
 */
export function readLog(config: Config, deps: Deps): ReadSubjects {
  if (config.measure === 'absence') return readAbsence(config, deps);
  if (config.measure === 'new-fingerprint') return readNewFingerprints(config, deps);
  return async (at, limit, signal) => {
    const samples = await readProjects(deps, config.projects, signal, (project) =>
      counted(config, deps, project, { at, limit: Math.min(limit, APPLICATIONS_MAX) }),
    );
    return wholeRead(await withCosts(deps, samples, at));
  };
}
