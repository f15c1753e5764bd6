import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  restApplicationSpending,
  restClusterSpending,
  restProjectSpending,
} from '../../../shared/contracts/rest-spending.ts';
import { restClusterIdle } from '../../../shared/contracts/rest-witnesses.ts';
import { idleAmount } from '../../../shared/rating/where-it-went.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { formatCredits, parseCredits } from '../../../shared/values/money.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { DEFAULT_RATE_CARD } from '../../../shared/values/rate-card.ts';
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

const APP = 'application_1_0001';
const PATH = '/v1/projects/team-a';
const clusters = [{ id: 'alpha', type: 'yarn', pool: 'main', links: {} }];

function addsUp({ charged, parts }: { charged: string; parts: Record<string, string> }): void {
  const sum = Object.values(parts).reduce((total, text) => total + (parseCredits(text) ?? 0n), 0n);
  assert.equal(sum, parseCredits(charged), JSON.stringify(parts));
}

/** One application with slot time and all roles, two cheap ones, and another project's. */
async function fill(api: AskingApi): Promise<void> {
  const slots = { slotMs: 3, usefulMs: 1, wastedMs: 1, idleMs: 1, tailMs: 0, startUpMs: 0 };
  const told = { cluster: 'alpha', application: APP, attempt: '1', at: SAMPLE_HOUR, ...slots };
  await api.stores.journalWriter.record(
    { facts: [], evidence: [], checkpoints: [], activity: [told] },
    SAMPLE_HOUR,
  );
  const small = { application: 'small', container: 's' };
  const theirs = { application: 'theirs', container: 't', project: 'team-b' as ProjectId };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [
        anApplication(),
        anApplication({ application: 'small' }),
        anApplication({ application: 'theirs', project: 'team-b' as ProjectId }),
      ],
      containers: [aContainer(), aContainer({ container: 'd' }), aContainer(small)],
      charges: [
        aCharge(),
        aCharge({ container: 'd', role: 'driver', amount: credits(1) }),
        aCharge({ ...small, amount: credits(2) }),
        aCharge({ ...theirs, amount: credits(7) }),
      ],
    }),
  );
}

test('an application tells where its credits went, to the last billionth', async () => {
  await using api = await askingApi();
  await fill(api);
  const path = `${PATH}/applications/alpha/${APP}/where`;
  const answer = await api.get(path, restApplicationSpending);
  addsUp(answer);
  assert.equal(answer.charged, '6');
  assert.equal(answer.accrued, '4', 'what runs is told beside the parts');
  const { useful, wasted, idle, driver, untold } = answer.parts;
  assert.deepEqual(
    [useful, wasted, idle, driver, untold],
    ['1.666666667', '1.666666667', '1.666666666', '1', '0'],
  );
  assert.equal(answer.slots?.slotMs, 3);
  const foreign = await api.problem(api.ask(`${PATH}/applications/alpha/theirs/where`));
  assert.equal(foreign.status, 404);
});

test('a project tells it by cluster and application; what is not listed is summed', async () => {
  await using api = await askingApi();
  await fill(api);
  const answer = await api.get(`${PATH}/where?limit=1`, restProjectSpending);
  addsUp(answer);
  assert.equal(answer.charged, '8');
  assert.deepEqual(
    answer.applications.map(({ application, charged }) => [application, charged]),
    [[APP, '6']],
  );
  assert.deepEqual([answer.others.applications, answer.others.charged], [1, '2']);
  assert.equal(answer.others.parts.untold, '2', 'nobody told its slot time');
  assert.deepEqual(
    answer.clusters.map(({ cluster, charged }) => [cluster, charged]),
    [['alpha', '8']],
  );
  const before = await api.get(
    `${PATH}/where?until=${new Date(SAMPLE_HOUR).toISOString()}`,
    restProjectSpending,
  );
  assert.deepEqual([before.charged, before.applications], ['0', []]);
  const other = await api.get(`${PATH}/where?cluster=beta`, restProjectSpending);
  assert.equal(other.charged, '0');
  const unknown = await api.problem(api.ask('/v1/projects/nobody/where'));
  assert.equal(unknown.status, 404);
  const problem = await api.problem(api.ask(`${PATH}/where?from=now&until=-1d&limit=0`));
  assert.equal(problem.status, 400);
});

test('a cluster is projects + idle, and only for who sees all projects', async () => {
  await using api = await askingApi({ deps: { clusters } });
  await fill(api);
  const nodes = {
    facts: [aNode(), aLoad({ at: SAMPLE_HOUR + HOUR_MS })],
    evidence: [],
    checkpoints: [],
    activity: [],
  };
  await api.stores.journalWriter.record(nodes, SAMPLE_HOUR);
  const answer = await api.get('/v1/clusters/alpha/where?from=-5h', restClusterSpending);
  addsUp(answer);
  assert.deepEqual(
    answer.projects.map(({ project, charged }) => [project, charged]),
    [
      ['team-a', '8'],
      ['team-b', '7'],
    ],
  );
  const { hours } = await api.get('/v1/clusters/alpha/idle?from=-5h', restClusterIdle);
  const idle = idleAmount(
    hours.map(({ hour, idle: { millicoreMs, mibMs, gpuMs } }) => ({
      hour: Date.parse(hour),
      idle: {
        containerMs: 0n,
        ...{ millicoreMs: BigInt(millicoreMs), mibMs: BigInt(mibMs), gpuMs: BigInt(gpuMs) },
      },
    })),
    () => DEFAULT_RATE_CARD,
  );
  assert.notEqual(idle, 0n);
  assert.equal(answer.idle, formatCredits(idle), 'what the idle hours say, at the base price');
  assert.equal(answer.total, formatCredits(credits(15) + idle));
  assert.equal(answer.unallocated, '0');
  const nobodys = [
    aCharge({ project: UNATTRIBUTED, application: 'x', container: 'x', amount: credits(4) }),
  ];
  const applications = [anApplication({ application: 'x', project: UNATTRIBUTED })];
  await api.stores.ledgerWriter.settle(aSettlement({ cursor: 9, applications, charges: nobodys }));
  const later = await api.get('/v1/clusters/alpha/where?from=-5h', restClusterSpending);
  addsUp(later);
  assert.deepEqual([later.charged, later.unallocated], ['19', '4'], 'projects’ and nobody’s');
  const long = await api.problem(api.ask('/v1/clusters/alpha/where?from=-40d'));
  assert.equal(long.status, 400);
  assert.equal((await api.problem(api.ask('/v1/clusters/beta/where'))).status, 404);
  const bound = await api.token(['read'], { projects: ['team-a'] });
  const headers = { authorization: `Bearer ${bound}` };
  const refused = await api.problem(api.ask('/v1/clusters/alpha/where', { headers }));
  assert.equal(refused.status, 403);
});

test('a cluster whose nodes nobody watches has no idle credits, rather than 0', async () => {
  await using api = await askingApi({ deps: { clusters } });
  const answer = await api.get('/v1/clusters/alpha/where', restClusterSpending);
  assert.deepEqual([answer.charged, answer.idle, answer.total], ['0', null, '0']);
});
