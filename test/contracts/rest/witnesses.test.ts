import assert from 'node:assert/strict';
import test from 'node:test';
import { restApplication } from '../../../shared/contracts/rest.ts';
import {
  restAnomalies,
  restClockSkew,
  restClusterIdle,
  restOutcomes,
} from '../../../shared/contracts/rest-witnesses.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import {
  aCharge,
  aContainer,
  aLoad,
  aNode,
  anApplication,
  aSettlement,
  credits,
  SAMPLE_HOUR,
} from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const NOW = SAMPLE_HOUR + HOUR_MS;
const deps = { clusters: [{ id: 'alpha', type: 'yarn', pool: 'main', links: {} }] };
const REF = { cluster: 'alpha', application: 'application_1_0001', container: 'c1' };
const ZERO = { millicoreMs: '0', mibMs: '0', gpuMs: '0' };

async function withFindings(api: AskingApi): Promise<void> {
  const project = 'team-a' as ProjectId;
  const told = [
    { witness: 'event-log', at: SAMPLE_HOUR, factId: 'f1' },
    { witness: 'yarn', at: SAMPLE_HOUR + 90_000, factId: 'f2' },
  ];
  const base = { ...REF, project, at: SAMPLE_HOUR, factId: 'f2' };
  const clock = { witness: 'yarn', reference: 'event-log', host: '', at: SAMPLE_HOUR } as const;
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer()],
      findings: [
        {
          ...REF,
          anomalies: [
            {
              ...base,
              anomaly: 'witnesses-disagree',
              detail: JSON.stringify({ what: 'stop', told, apartMs: 90_000 }),
            },
          ],
          clockPairs: [{ ...clock, startMs: 7, stopMs: 90_000 }],
        },
        {
          ...REF,
          container: '',
          anomalies: [
            {
              ...base,
              container: '',
              anomaly: 'project-not-allowed',
              detail: '{"claimed":"pay","user":"bob","queue":"q"}',
            },
          ],
          clockPairs: [],
        },
      ],
    }),
  );
}

test('who disagrees is listed with container, witnesses, times and how far they are apart', async () => {
  await using api = await askingApi({ deps });
  await withFindings(api);
  const path = '/v1/projects/team-a/anomalies';
  const { anomalies } = await api.get(path, restAnomalies);
  assert.deepEqual(anomalies, [
    {
      anomaly: 'project-not-allowed',
      cluster: 'alpha',
      application: 'application_1_0001',
      container: null,
      fact: 'f2',
      at: '2026-11-21T08:00:00.000Z',
      disagreement: null,
      claim: { project: 'pay', user: 'bob', queue: 'q' },
    },
    {
      anomaly: 'witnesses-disagree',
      cluster: 'alpha',
      application: 'application_1_0001',
      container: 'c1',
      fact: 'f2',
      at: '2026-11-21T08:00:00.000Z',
      disagreement: {
        what: 'stop',
        told: [
          { witness: 'event-log', at: '2026-11-21T08:00:00.000Z' },
          { witness: 'yarn', at: '2026-11-21T08:01:30.000Z' },
        ],
        apartMs: 90_000,
      },
      claim: null,
    },
  ]);
  const one = await api.get(`${path}?limit=1`, restAnomalies);
  const rest = await api.get(`${path}?limit=1&cursor=${one.cursor}`, restAnomalies);
  assert.deepEqual([...one.anomalies, ...rest.anomalies], anomalies);
  assert.equal(rest.cursor, null);
  const kind = await api.get(`${path}?anomaly=witnesses-disagree`, restAnomalies);
  assert.equal(kind.anomalies.length, 1);
  const foreign = await api.problem(api.ask('/v1/projects/other/anomalies'));
  assert.equal(foreign.status, 404);
  assert.equal((await api.problem(api.ask(`${path}?cursor=x`))).status, 400);
});

test('the skew of clocks is shown, with how many differences it is of', async () => {
  await using api = await askingApi({ deps });
  await withFindings(api);
  const skew = await api.get('/v1/clusters/alpha/clock-skew', restClockSkew);
  assert.deepEqual(skew.skews, [
    {
      witness: 'yarn',
      reference: 'event-log',
      host: null,
      offsetMs: null,
      spreadMs: null,
      differences: 2,
    },
  ]);
  assert.equal((await api.problem(api.ask('/v1/clusters/no/clock-skew'))).status, 404);
});

test('idle is what no container held, unallocated what one held and no project pays', async () => {
  await using api = await askingApi({ deps });
  const facts = [aNode({ at: SAMPLE_HOUR + HOUR_MS / 2 }), aLoad({ at: NOW })];
  await api.stores.journalWriter.record(
    { facts, evidence: [], activity: [], checkpoints: [] },
    NOW,
  );
  const quantity = { containerMs: 9n, millicoreMs: 1_000n, mibMs: 2_000n, gpuMs: 0n };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      charges: [
        aCharge({ quantity }),
        aCharge({
          ...{ project: UNATTRIBUTED, container: 'c9' },
          quantity: { containerMs: 9n, millicoreMs: 700n, mibMs: 0n, gpuMs: 0n },
        }),
      ],
    }),
  );
  const path = '/v1/clusters/alpha/idle';
  const from = new Date(SAMPLE_HOUR - HOUR_MS).toISOString();
  const idle = await api.get(`${path}?from=${from}`, restClusterIdle);
  assert.deepEqual(idle.hours, [
    {
      hour: '2026-11-21T07:00:00.000Z',
      nodes: ZERO,
      containers: ZERO,
      unallocated: ZERO,
      idle: ZERO,
      provisional: false,
    },
    {
      hour: '2026-11-21T08:00:00.000Z',
      nodes: { millicoreMs: '7200000000', mibMs: '28800000000', gpuMs: '1800000' },
      containers: { millicoreMs: '1700', mibMs: '2000', gpuMs: '0' },
      unallocated: { millicoreMs: '700', mibMs: '0', gpuMs: '0' },
      idle: { millicoreMs: '7199998300', mibMs: '28799998000', gpuMs: '1800000' },
      provisional: false,
    },
  ]);
  const { hour: _hour, provisional: _provisional, ...second } = idle.hours[1] ?? assert.fail();
  assert.deepEqual(idle.total, second);
  assert.equal(idle.knownUntil, '2026-11-21T09:00:00.000Z');
  const open = await api.get(`${path}?from=${from}&until=2026-11-21T09:00:01Z`, restClusterIdle);
  assert.equal(open.hours.at(-1)?.provisional, true, 'an hour that isn’t over');
  assert.equal((await api.problem(api.ask('/v1/clusters/no/idle'))).status, 404);
  assert.equal((await api.problem(api.ask(`${path}?from=-40d`))).status, 400);
});

test('an application tells its charges by what became of its containers', async () => {
  await using api = await askingApi({ deps });
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer({ attempt: '1', outcome: 'preempted' })],
      charges: [aCharge({ coverage: 'inferred', amount: credits(4), outcome: 'preempted 50' })],
    }),
  );
  const path = '/v1/projects/team-a/applications/alpha/application_1_0001';
  const { outcomes } = await api.get(`${path}/outcomes`, restOutcomes);
  assert.deepEqual(outcomes, [
    {
      outcome: 'preempted',
      role: 'executor',
      attempt: '1',
      containers: 1,
      containerMs: '1',
      charged: '4',
    },
  ]);
  const { cost } = await api.get(path, restApplication);
  assert.deepEqual(cost.coverage, { exact: '0', inferred: '4', estimated: '2' });
  const foreign = path.replace('team-a', 'team-b');
  assert.equal((await api.problem(api.ask(`${foreign}/outcomes`))).status, 404);
});
