import type { StoredLog } from '../../../shared/stores/log-store.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { KnownMessages } from './known-messages.ts';
import { logQuery, logTarget } from './log-query.ts';
import { oneLine } from './one-line.ts';
import { readProjects } from './read-projects.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<SignalDeps, 'logs' | 'ledger'>;
type Config = Extract<SignalOf<'log'>, { measure: 'new-fingerprint' }>;

/** What a log store groups at once; as many may be cut short. */
const MESSAGES_MAX = 200;
const KNOWN_MAX = 50_000;

function sampleOf(project: ProjectId, count: number, example: StoredLog): Sample {
  const { fingerprint } = example;
  return {
    labels: { project, fingerprint },
    project,
    target: logTarget(project, example),
    value: count,
    why: '',
    evidence: [seen(['lines', count, 'lines'], 'logs', example.at)],
    annotations: {
      ...{ example: oneLine(example.message), level: example.level, logger: example.logger },
      ...{ application: example.application, container: example.container },
    },
    cost: undefined,
  };
}

/**
 * Messages of the window that weren't there in the lookback before it. A project whose lines begin
 * within `learning` has nothing new: everything is.
 */
export function readNewFingerprints(config: Config, deps: Deps): ReadSubjects {
  const known = new KnownMessages(KNOWN_MAX);
  const { logs } = deps;

  /** Whether lines that the query names were there before a moment. */
  async function wasThere(
    project: ProjectId,
    {
      fingerprint,
      from,
      until,
    }: { fingerprint: string | undefined; from: Instant; until: Instant },
  ): Promise<Instant | undefined> {
    const { records } = await logs.search(project, {
      ...{ from, until, limit: 1 },
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(config.application === undefined ? {} : { application: config.application }),
    });
    return records[0]?.at;
  }

  async function samplesOf(project: ProjectId, at: Instant): Promise<Sample[]> {
    const from = at - config.window;
    const past = { from: from - config.lookback, until: from };
    const query = { ...logQuery(config, { from, until: at }), limit: MESSAGES_MAX };
    const groups = await logs.fingerprints(project, query);
    if (groups.length === 0) return [];
    if (groups.length >= MESSAGES_MAX) {
      throw new SignalFailure(
        `${project} has ${MESSAGES_MAX} different messages or more in the window; set "level", ` +
          'or shorten "window"',
      );
    }
    const learnt = { fingerprint: undefined, ...past, until: from - config.learning };
    if ((await wasThere(project, learnt)) === undefined) return [];
    const samples: Sample[] = [];
    for (const { fingerprint, count, example } of groups) {
      const key = `${project}\n${fingerprint}`;
      if (known.has(key, past.from, past.until)) continue;
      const before = await wasThere(project, { fingerprint, ...past });
      if (before === undefined) samples.push(sampleOf(project, count, example));
      else known.add(key, before);
    }
    return samples;
  }

  return async (at, _limit, signal) =>
    wholeRead(
      await readProjects(deps, config.projects, signal, (project) => samplesOf(project, at)),
    );
}
