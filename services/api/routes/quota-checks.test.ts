import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { restQuotaCheck } from '../../../shared/contracts/rest.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { aContainer, anApplication, aSettlement } from '../../../test/support/ledger-builders.ts';
import { problemOf } from '../../../test/support/problem-of.ts';
import { type RunningApi, runningApi } from '../../../test/support/running-api.ts';

async function ask(api: RunningApi, body: object): Promise<z.infer<typeof restQuotaCheck>> {
  const response = await api.post('/v1/quota-checks', body);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  return restQuotaCheck.strict().parse(JSON.parse(text));
}

const grant = (credits: string) => ({ id: `grant-${credits}`, credits, reason: 'test' });
const ONE_HOUR = { resources: { cores: 1, memoryMib: 1_024 }, durationMs: HOUR_MS };

test('a job may start while its project has credits, and learns price and balance', async () => {
  await using api = await runningApi();
  await api.post('/v1/projects/etl/grants', grant('10'));
  await api.stores.priceWriter.announce(
    {
      id: 'e1',
      pool: 'cpu',
      step: 1_150,
      start: T0 - HOUR_MS,
      end: undefined,
      ruleVersion: 'v1',
      reason: 'busy',
      inputs: '{}',
    },
    T0,
  );
  const answer = await ask(api, { project: 'etl', ...ONE_HOUR });
  assert.deepEqual(answer, {
    allowed: true,
    reason: 'ok',
    message: 'project etl has 10 credits left',
    project: 'etl',
    balance: '10',
    price: { pool: 'cpu', multiplier: '1.15' },
    estimate: '4.14',
    asOf: answer.asOf,
  });
  assert.equal((await ask(api, { project: 'ETL' })).project, 'etl');
  assert.equal((await ask(api, { project: 'nobody' })).price.multiplier, '1.15');
});

test('what runs counts at once, before any of it is charged', async () => {
  await using api = await runningApi();
  await api.post('/v1/projects/etl/grants', grant('10'));
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer({ accrued: 10_000_000_000n })],
      asOf: T0 + 7,
    }),
  );
  const answer = await ask(api, { project: 'etl' });
  assert.deepEqual([answer.allowed, answer.reason], [false, 'balance-exhausted']);
  assert.equal(answer.asOf, new Date(T0 + 7).toISOString());
});

test('every refusal is an answer with its reason', async () => {
  await using api = await runningApi();
  await api.post('/v1/projects/etl/grants', grant('1'));
  await api.stores.grants.register('free' as never);
  const reasonOf = async (body: object) => (await ask(api, body)).reason;
  assert.equal(await reasonOf({ project: 'nobody' }), 'unknown-project');
  assert.equal(await reasonOf({ project: '../etc' }), 'unknown-project');
  assert.equal(await reasonOf({ project: 'etl', ...ONE_HOUR }), 'estimate-exceeds-balance');
  assert.equal(await reasonOf({ project: 'free', ...ONE_HOUR }), 'unlimited');
  assert.equal((await ask(api, { project: 'etl', durationMs: 5 })).estimate, null);
});

test('a request that is not understood is told all its problems', async () => {
  await using api = await runningApi();
  const body = { resources: { cores: -1, gpu: 2 }, durationMs: 0.5, pools: 'cpu' };
  const problem = await problemOf(await api.post('/v1/quota-checks', body), 400);
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), [
    'body.durationMs',
    'body.pools',
    'body.project',
    'body.resources.cores',
    'body.resources.gpu',
  ]);
  const pool = await api.post('/v1/quota-checks', { project: 'etl', pool: 'gpu' });
  assert.match((await problemOf(pool, 400)).detail, /there are: cpu/);
  const raw = (text: string) =>
    fetch(`${api.url}/v1/quota-checks`, {
      method: 'POST',
      body: text,
      headers: { 'Content-Type': 'application/json' },
    });
  await problemOf(await raw('{"project":'), 400);
  await problemOf(await raw(''), 400);
  await problemOf(await raw(`{"project":"${'x'.repeat(100_000)}"}`), 413);
});
