import type { ApplicationCost } from '../../../shared/stores/ledger-reader.ts';
import { type Instant, SECOND_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { costOf } from './application-cost.ts';
import { logQuery, logTarget } from './log-query.ts';
import { oneLine } from './one-line.ts';
import { readProjects } from './read-projects.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<SignalDeps, 'logs' | 'ledger' | 'applications'>;
type Config = Extract<SignalOf<'log'>, { measure: 'absence' }>;

const RUNNING_MAX = 100_000;

/**
 * Seconds since the last line of each running application, or of each project with one in the
 * lookback. An application without any line is silent since it began, or for the whole lookback.
 */
export function readAbsence(config: Config, deps: Deps): ReadSubjects {
  async function lastLine(project: ProjectId, at: Instant, application: string | undefined) {
    const { records } = await deps.logs.search(project, {
      ...logQuery(config, { from: at - config.lookback, until: at + 1 }),
      ...(application === undefined ? {} : { application }),
      limit: 1,
    });
    return records[0];
  }

  async function ofApplication(one: ApplicationCost, at: Instant): Promise<Sample> {
    const { project, cluster, application, name } = one;
    const last = await lastLine(project, at, application);
    const since = last?.at ?? Math.max(one.start, at - config.lookback);
    const value = Math.max(0, at - since) / SECOND_MS;
    return {
      labels: { project, cluster, application, name },
      ...{ project, value, why: '', cost: costOf(one) },
      target: logTarget(project, one),
      evidence: [seen(['seconds without a line', value, 's'], 'logs', at)],
      annotations: { example: oneLine(last?.message ?? '') },
    };
  }

  async function ofProject(project: ProjectId, at: Instant): Promise<Sample[]> {
    const last = await lastLine(project, at, config.application);
    if (last === undefined) return [];
    const value = Math.max(0, at - last.at) / SECOND_MS;
    return [
      {
        labels: { project },
        ...{ project, value, why: '', cost: undefined },
        target: logTarget(project, { cluster: '', application: '' }),
        evidence: [seen(['seconds without a line', value, 's'], 'logs', at)],
        annotations: { example: oneLine(last.message) },
      },
    ];
  }

  return async (at, _limit, signal) => {
    const running =
      config.by === 'application' ? await deps.applications.runningAt(at, RUNNING_MAX) : [];
    const byProject = Map.groupBy(running, ({ project }) => project);
    const samples = await readProjects(deps, config.projects, signal, async (project) => {
      if (config.by === 'project') return await ofProject(project, at);
      const mine = (byProject.get(project) ?? []).filter(
        ({ application }) => config.application === undefined || application === config.application,
      );
      const found: Sample[] = [];
      for (const one of mine) found.push(await ofApplication(one, at));
      return found;
    });
    return wholeRead(samples);
  };
}
