import { applicationKey } from '../../../shared/stores/journal.ts';
import { type Instant, SECOND_MS } from '../../../shared/values/instant.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { costOf } from './application-cost.ts';
import { applicationEnding } from './application-ending.ts';
import { applicationSample } from './application-sample.ts';
import { applicationStarts } from './application-start.ts';
import { FailureLog } from './failure-lines.ts';
import { endedApplications, type Watched } from './list-applications.ts';
import { oneLine } from './one-line.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<SignalDeps, 'applications' | 'journal' | 'logs' | 'metrics'>;
type Failed = Extract<SignalOf<'application'>, { measure: 'failed' }>;
type Failures = Extract<SignalOf<'application'>, { measure: 'failures' }>;
type Ending = ReturnType<typeof applicationEnding>;

async function endings(
  { journal }: Deps,
  ended: readonly Watched[],
): Promise<readonly { readonly watched: Watched; readonly ending: Ending }[]> {
  const facts = await journal.applications(ended.map(({ app }) => app));
  return ended.map((watched) => ({
    watched,
    ending: applicationEnding(facts.get(watched.key) ?? []),
  }));
}

/** One subject an application that failed; it is gone when the window has passed. */
export function readFailed(config: Failed, deps: Deps): ReadSubjects {
  const log = new FailureLog(deps);
  return async (at) => {
    const settled = await deps.applications.settledUntil();
    const ended = await endedApplications(config, deps, at);
    const failed = (await endings(deps, ended)).filter(
      ({ ending }) => ending?.outcome === 'failed',
    );
    const refs = failed.map(({ watched }) => watched.app);
    const starts = await applicationStarts(deps, refs, at);
    const samples: Sample[] = [];
    for (const { watched, ending } of failed) {
      const { app } = watched;
      const reason = ending?.reason ?? '';
      const lines = await log.read(watched, { reason, lines: config.lines, at });
      const seconds = ((app.end ?? at) - app.start) / SECOND_MS;
      samples.push(
        applicationSample(watched, starts, {
          value: 1,
          evidence: [
            seen(['failed', 1, ''], 'journal', settled),
            seen(['exit code', ending?.exitCode, ''], 'journal', settled),
            seen(['ran for', seconds, 's'], 'ledger', settled),
          ],
          annotations: {
            ...{ root_cause: lines.cause, last_lines: lines.last, exit_reason: oneLine(reason) },
            ...{ exit_code: String(ending?.exitCode ?? ''), lost_credits: costOf(app).soFar },
          },
        }),
      );
    }
    return wholeRead(samples, [settled]);
  };
}

/** Failures since the last success; an end that nobody tells, or a kill, is neither. */
function failuresOf(runs: readonly { readonly watched: Watched; readonly ending: Ending }[]) {
  const inOrder = runs.toSorted((a, b) => (a.watched.app.end ?? 0) - (b.watched.app.end ?? 0));
  const success = inOrder.findLastIndex(({ ending }) => ending?.outcome === 'succeeded');
  return inOrder.slice(success + 1).filter(({ ending }) => ending?.outcome === 'failed');
}

function workloadSample(
  runs: Parameters<typeof failuresOf>[0],
  first: Watched,
  settled: Instant | undefined,
): Sample {
  const failures = failuresOf(runs);
  const { project, cluster, name } = first.app;
  const lost = failures.map(({ watched }) => watched.app);
  const charged = lost.reduce((sum, app) => sum + app.charged, 0n);
  const accrued = lost.reduce((sum, app) => sum + app.accrued, 0n);
  const last = failures.at(-1);
  const value = failures.length;
  return {
    labels: { project, cluster, name },
    project,
    target: { kind: 'workload', cluster, id: name, startedAt: undefined },
    ...{ value, why: '' },
    evidence: [seen(['failures in a row', value, 'runs'], 'journal', settled)],
    annotations: {
      last_application: last?.watched.app.application ?? '',
      last_reason: oneLine(last?.ending?.reason ?? ''),
    },
    cost: costOf({ ...first.app, perHour: 0n, charged, accrued }),
  };
}

/** One subject a workload (project, cluster, name) of which a run ended within the window. */
export function readFailures(config: Failures, deps: Deps): ReadSubjects {
  return async (at) => {
    const settled = await deps.applications.settledUntil();
    const told = await endings(deps, await endedApplications(config, deps, at));
    const known = told.filter(({ ending }) => ending !== undefined);
    const workloads = Map.groupBy(known, ({ watched: { app } }) =>
      applicationKey({ cluster: `${app.project}\n${app.cluster}`, application: app.name }),
    );
    const samples = [...workloads.values()].flatMap((runs) => {
      const [first] = runs;
      return first === undefined ? [] : [workloadSample(runs, first.watched, settled)];
    });
    return wholeRead(samples, [settled]);
  };
}
