import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { restProjects, restQuotaCheck } from '../../../shared/contracts/rest.ts';
import { restGrant } from '../../../shared/contracts/rest-grants.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { QuotaReader } from '../../../shared/stores/ledger-reader.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import {
  aContainer,
  anApplication,
  anEpoch,
  aSettlement,
  credits,
  SAMPLE_HOUR,
} from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const PATH = '/v1/quota-checks';
/** 3.6 credits an hour at the base price. */
const CORE_AND_GIB = { cores: 1, memoryMib: 1_024 };

async function grant(api: AskingApi, amount: string): Promise<void> {
  await api.postOk('/v1/projects/team-a/grants', { id: 'g', credits: amount }, restGrant);
}

const check = (api: AskingApi, body: unknown) => api.postOk(PATH, body, restQuotaCheck);

test('a project with credits may start a job, and is told its balance, price and time of evidence', async () => {
  await using api = await askingApi();
  await grant(api, '12.5');
  await api.stores.ledgerWriter.settle(aSettlement());
  assert.deepEqual(await check(api, { project: 'team-a' }), {
    allowed: true,
    reason: 'ok',
    message: 'project team-a has 12.5 credits left',
    project: 'team-a',
    balance: '12.5',
    price: { pool: 'main', multiplier: '1.00' },
    estimate: null,
    level: null,
    reasons: [],
    limits: [{ kind: 'credits', limit: '12.5', used: '0', asOf: null, stale: false }],
    asOf: '2026-11-21T09:00:00.000Z',
  });
});

test('a project whose price its rate card fixes is told that price, and its estimate by it', async () => {
  await using api = await askingApi({ deps: { fixedSteps: new Map([['team-a', 900]]) } });
  await grant(api, '12.5');
  await api.stores.priceWriter.announce(anEpoch({ step: 1_500 }), 0);
  const job = { resources: CORE_AND_GIB, durationMs: HOUR_MS };
  const fixed = await check(api, { project: 'team-a', ...job });
  assert.deepEqual([fixed.price.multiplier, fixed.estimate], ['0.90', '3.24']);
  await api.postOk('/v1/projects/team-b/grants', { id: 'h', credits: '9' }, restGrant);
  const surged = await check(api, { project: 'team-b', ...job });
  assert.deepEqual([surged.price.multiplier, surged.estimate], ['1.50', '5.4']);
});

test('what running containers have used is taken off before it is charged', async () => {
  await using api = await askingApi();
  await grant(api, '10');
  const settle = (accrued: number) =>
    api.stores.ledgerWriter.settle(
      aSettlement({
        applications: [anApplication()],
        containers: [aContainer({ accrued: credits(accrued) })],
        asOf: SAMPLE_HOUR + accrued,
      }),
    );
  await settle(9);
  const before = await check(api, { project: 'team-a' });
  assert.deepEqual([before.allowed, before.balance], [true, '1']);
  await settle(10);
  const after = await check(api, { project: 'team-a' });
  assert.deepEqual([after.allowed, after.reason, after.balance], [false, 'balance-exhausted', '0']);
  assert.equal(after.asOf, '2026-11-21T08:00:00.010Z', 'of the evidence, not of the question');
});

test('an estimate at the price now that passes the balance refuses; one that equals it does not', async () => {
  await using api = await askingApi();
  await grant(api, '3.6');
  const hour = { project: 'team-a', resources: CORE_AND_GIB, durationMs: HOUR_MS };
  const exact = await check(api, hour);
  assert.deepEqual([exact.allowed, exact.reason, exact.estimate], [true, 'ok', '3.6']);
  const longer = await check(api, { ...hour, durationMs: HOUR_MS + 1 });
  assert.deepEqual([longer.allowed, longer.reason], [false, 'estimate-exceeds-balance']);
  assert.equal(longer.estimate, '3.600001');
  assert.match(longer.message, /would cost 3.600001 credits, 3.6 are left \(at 1.00 X\)/);
});

test('the price is that of the pool asked for, at the time of asking', async () => {
  await using api = await askingApi();
  await grant(api, '100');
  await api.stores.priceWriter.announce(anEpoch({ pool: 'spot', step: 1_500 }), 0);
  await api.stores.priceWriter.announce(
    anEpoch({ pool: 'spot', step: 2_000, start: SAMPLE_HOUR + HOUR_MS + MINUTE_MS }),
    0,
  );
  const hour = { project: 'team-a', resources: CORE_AND_GIB, durationMs: HOUR_MS };
  const first = await check(api, hour);
  assert.deepEqual([first.price, first.estimate], [{ pool: 'main', multiplier: '1.00' }, '3.6']);
  const spot = await check(api, { ...hour, pool: 'spot' });
  assert.deepEqual([spot.price, spot.estimate], [{ pool: 'spot', multiplier: '1.50' }, '5.4']);
  await api.clock.advance(MINUTE_MS);
  assert.equal((await check(api, { ...hour, pool: 'spot' })).estimate, '7.2');
});

test('an estimate needs both resources and duration', async () => {
  await using api = await askingApi();
  await grant(api, '1');
  for (const part of [{ resources: CORE_AND_GIB }, { durationMs: HOUR_MS }]) {
    const answer = await check(api, { project: 'team-a', ...part });
    assert.deepEqual([answer.allowed, answer.estimate], [true, null]);
  }
});

test('a project that nobody knows may start nothing, and asking makes it no project', async () => {
  await using api = await askingApi();
  for (const project of ['nobody', '__proto__', '{"', '\u0000', '<b>', 'x'.repeat(63)]) {
    const answer = await check(api, { project });
    assert.deepEqual([answer.allowed, answer.reason], [false, 'unknown-project']);
    assert.equal(answer.project, project);
    assert.equal(answer.asOf, '2026-11-21T09:00:00.000Z');
  }
  assert.deepEqual((await api.get('/v1/projects', restProjects)).projects, []);
});

test('an answer is JSON that nothing on its way may keep', async () => {
  await using api = await askingApi();
  const { headers } = await api.post(PATH, { project: 'nobody' });
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(headers.get('cache-control'), 'no-store');
});

test('a project without any grant has no limit', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as ProjectId);
  const body = { project: 'team-a', resources: { cores: 1_000 }, durationMs: HOUR_MS };
  const answer = await check(api, body);
  assert.deepEqual([answer.allowed, answer.reason], [true, 'unlimited']);
});

test('the answer names the project as everything else does, however it was written', async () => {
  await using api = await askingApi();
  await grant(api, '1');
  assert.equal((await check(api, { project: ' Team-A ' })).project, 'team-a');
});

test('a store that answers later gives the same answer', async () => {
  await using api = await askingApi();
  await grant(api, '12.5');
  const { ledgerReader } = api.stores;
  const quota: QuotaReader['quota'] = async (...key) => ledgerReader.quota(...key);
  await using other = await askingApi({
    deps: { ledger: Object.assign(Object.create(ledgerReader), { quota }) },
  });
  const body = { project: 'team-a', resources: CORE_AND_GIB, durationMs: HOUR_MS };
  assert.deepEqual(await check(other, body), await check(api, body));
});

test('all that is wrong with a question is said at once', async () => {
  await using api = await askingApi();
  const body = {
    project: 7,
    resources: { cores: -1, memoryMib: 1.5, core: 4 },
    durationMs: 0,
    duration: 1,
  };
  const problem = await api.problem(api.post(PATH, body));
  assert.equal(problem.code, 'BAD_REQUEST');
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), [
    'body.duration',
    'body.durationMs',
    'body.project',
    'body.resources.core',
    'body.resources.cores',
    'body.resources.memoryMib',
  ]);
});

test('a pool that there is not is refused, and the known ones are named', async () => {
  await using api = await askingApi();
  const problem = await api.problem(api.post(PATH, { project: 'team-a', pool: 'nowhere' }));
  assert.deepEqual(problem.errors, [
    { path: 'body.pool', message: 'is no pool; there are: main, spot' },
  ]);
});

test('a project that nobody knows is told the price that it would meet', async () => {
  await using api = await askingApi();
  await api.stores.priceWriter.announce(anEpoch({ step: 1_500 }), 0);
  const body = { project: 'nobody', resources: CORE_AND_GIB, durationMs: HOUR_MS };
  const { price, estimate } = await check(api, body);
  assert.deepEqual([price, estimate], [{ pool: 'main', multiplier: '1.50' }, '5.4']);
});

test('resources that no job can hold are refused, never estimated', async () => {
  await using api = await askingApi();
  for (const resources of [
    { cores: 1e12 },
    { cores: Number.MAX_VALUE },
    { memoryMib: -1 },
    { gpus: 0.5 },
    { memoryMib: 1e300 },
  ]) {
    const body = { project: 'team-a', resources, durationMs: 1 };
    assert.equal((await api.problem(api.post(PATH, body))).status, 400, JSON.stringify(resources));
  }
});

test('what is no JSON, or no object, is a bad request', async () => {
  await using api = await askingApi();
  for (const body of ['', '{', '{"project":"a"', 'null', '[]', '"team-a"', '{}', '\ufeff{}']) {
    const problem = await api.problem(api.post(PATH, body));
    assert.equal(problem.code, 'BAD_REQUEST', JSON.stringify(body));
    assert.equal(problem.instance, PATH);
  }
});

test('the address with a query, which no question has, is refused by the name in it', async () => {
  await using api = await askingApi();
  const problem = await api.problem(api.post(`${PATH}?dry=1`, { project: 'nobody' }));
  assert.deepEqual(
    problem.errors?.map(({ path }) => path),
    ['query.dry'],
  );
});

test('a body above the limit is refused, one at the limit is read', async () => {
  await using api = await askingApi();
  const at = JSON.stringify({ project: 'nobody' }).padEnd(16_384);
  assert.equal((await api.post(PATH, at)).status, 200);
  for (const bytes of [1, 5_000_000]) {
    const problem = await api.problem(api.post(PATH, at + ' '.repeat(bytes)));
    assert.equal(problem.code, 'PAYLOAD_TOO_LARGE');
    assert.match(problem.detail, /16384 bytes/);
  }
});

test('a client that goes away in the middle of its body disturbs nothing and no error is logged', async () => {
  const logged: unknown[] = [];
  const error = (...line: unknown[]): void => void logged.push(line);
  const logger = { error, debug() {}, info() {}, warn() {}, child: () => logger } as never;
  await using api = await askingApi({ parts: { logger } });
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const head = `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n`;
  socket.write(`${head}expect: 100-continue\r\n\r\n`);
  const [interim] = await once(socket, 'data');
  assert.match(String(interim), /^HTTP\/1.1 100/, 'the body is awaited');
  socket.write('{"project"');
  socket.destroy();
  await once(socket, 'close');
  assert.equal((await check(api, { project: 'nobody' })).reason, 'unknown-project');
  assert.deepEqual(logged, []);
});

test('a store that fails is a problem, not a verdict', async () => {
  const quota = (): never => {
    throw new AppError('STORE_UNAVAILABLE', 'ledger.db does not answer');
  };
  await using api = await askingApi();
  await using broken = await askingApi({
    deps: { ledger: Object.assign(Object.create(api.stores.ledgerReader), { quota }) },
  });
  const response = await broken.post(PATH, { project: 'team-a' });
  assert.equal(response.headers.get('retry-after'), '1');
  assert.equal((await broken.problem(response)).code, 'STORE_UNAVAILABLE');
});
