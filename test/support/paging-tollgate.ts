import assert from 'node:assert/strict';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact } from './fact-builders.ts';
import type { HookServer } from './hook-server.ts';
import type { RunningTollgate } from './running-tollgate.ts';

/** A rule on the credits of every project, looked at each second. */
export const CREDITS_RULE = `
rules:
  - alert: CreditsUsed
    severity: critical
    owner: platform
    signal: { kind: balance, measure: used-percent }
    when: { above: 100 }
    every: 1s
    annotations: { summary: "{{project}} has used {{value}} %", advice: "Grant credits." }
`;

/** Two projects with next to no credits, and a receiver that is told at once. */
export const pagingConfig = (rules: string, hook: HookServer, more: object = {}) => ({
  metrics: { graphite: [] },
  metering: {
    settleIntervalMs: 100,
    projects: ['etl', 'ads'].map((id) => ({ id, grants: [{ id: `g-${id}`, credits: '0.001' }] })),
  },
  alerter: {
    shippedRules: false,
    rules: [rules],
    notify: {
      route: { receiver: 'ops', group_wait: '0s', group_interval: '1s' },
      receivers: [{ name: 'ops', webhooks: [{ url: hook.url.href }] }],
      dial: { allow: ['127.0.0.0/8'] },
    },
  },
  ...more,
});

/** Facts of one container of the project that ran for an hour, some hours ago. */
export async function useCredits(
  tollgate: Pick<RunningTollgate, 'post'>,
  project: 'etl' | 'ads',
): Promise<void> {
  const start = Date.now() - 5 * HOUR_MS;
  const application = `app-${project}`;
  const ref = { application, container: `${application}/1/1` };
  const told = { witness: undefined, rule: undefined };
  const lines = [
    applicationFact('application-seen', start, { application, project: project as ProjectId }),
    containerFact('container-started', start, ref),
    containerFact('container-stopped', start + HOUR_MS, ref),
  ].map((fact) => `${JSON.stringify({ ...fact, ...told })}\n`);
  const headers = { 'tollgate-cluster': 'yarn-1', 'tollgate-project': project };
  const answer = await tollgate.post('/v1/ingest/containers', lines.join(''), headers);
  assert.equal(answer.status, 200, await answer.text());
}
