import assert from 'node:assert/strict';
import test from 'node:test';
import { type RestReplayLine, restReplayLine } from '../../../shared/contracts/rest-replay.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { askingApi } from '../../support/asking-api.ts';
import { replayingApi } from '../../support/replaying-api.ts';

const PATH = '/v1/replays';
const TARIFF = { rateCard: { coreSecond: '0.0001' } };

async function linesOf(response: Response): Promise<RestReplayLine[]> {
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson; charset=utf-8');
  const text = await response.text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const parsed = restReplayLine.parse(JSON.parse(line));
      assert.deepEqual(parsed, JSON.parse(line), 'members that the schema lacks');
      return parsed;
    });
}

test('a replay tells its progress line by line, and then its result', async () => {
  await using api = await replayingApi();
  const lines = await linesOf(await api.post(PATH, { from: '-5h', tariff: TARIFF }));
  const result = lines.at(-1);
  assert.ok(result?.type === 'result');
  assert.deepEqual(
    [result.from, result.until, result.project, result.containers],
    ['2026-11-21T04:00:00.000Z', '2026-11-21T09:00:00.000Z', null, 10],
  );
  assert.ok(lines.length > 1);
  assert.ok(lines.slice(0, -1).every(({ type }) => type === 'progress'));
});

test('all that is wrong with a question is told at once, as a problem and not as a line', async () => {
  await using api = await replayingApi();
  const paths = async (body: unknown) => {
    const problem = await api.problem(api.post(PATH, body));
    assert.equal(problem.code, 'BAD_REQUEST');
    return problem.errors?.map(({ path }) => path);
  };
  assert.deepEqual(
    await paths({ tariff: { rateCard: { coreSecond: '-1' }, price: { knee: 2 } } }),
    ['body.tariff.rateCard.coreSecond', 'body.tariff.price.knee'],
  );
  assert.deepEqual(await paths({ from: 'x', until: 'y', tariff: 1 }), [
    'body.from',
    'body.until',
    'body.tariff',
  ]);
  assert.deepEqual(await paths({ from: 'now', tariff: TARIFF }), ['body.from']);
  assert.deepEqual(await paths({ from: '-101d', tariff: TARIFF }), ['body.from']);
  assert.deepEqual(await paths({ project: '../x', tariff: TARIFF }), ['body.project']);
  assert.deepEqual(await paths({ tariffs: TARIFF }), ['body.tariff', 'body.tariffs']);
  const unknown = await api.problem(api.post(PATH, { project: 'nobody', tariff: TARIFF }));
  assert.equal(unknown.code, 'NOT_FOUND');
});

test('a store that goes away in the middle is the last line', async () => {
  await using api = await askingApi({
    deps: {
      tariffReplays: async function* () {
        yield { type: 'progress', phase: 'charges', done: 1, total: 2 };
        throw new AppError('STORE_UNAVAILABLE', 'the ledger does not answer');
      },
    },
  });
  const lines = await linesOf(await api.post(PATH, { tariff: TARIFF }));
  assert.deepEqual(
    lines.map(({ type }) => type),
    ['progress', 'problem'],
  );
  assert.ok(lines[1]?.type === 'problem');
  assert.deepEqual([lines[1].code, lines[1].status], ['STORE_UNAVAILABLE', 503]);
});

test('a client that goes away ends the work', async () => {
  const ended = Promise.withResolvers<void>();
  await using api = await askingApi({
    deps: {
      tariffReplays: async function* () {
        try {
          for (let done = 0; ; done += 1) {
            yield { type: 'progress', phase: 'charges', done, total: 1_000_000_000 };
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          ended.resolve();
        }
      },
    },
  });
  const client = new AbortController();
  const body = JSON.stringify({ tariff: TARIFF });
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', body, headers, signal: client.signal };
  const response = await api.ask(PATH, init);
  await response.body?.getReader().read();
  client.abort();
  await ended.promise;
});

test('a token of some projects replays none, nor does one that only reads', async () => {
  await using api = await replayingApi();
  const ask = async (token: string) =>
    api.problem(
      api.ask(PATH, {
        method: 'POST',
        body: JSON.stringify({ tariff: TARIFF }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      }),
    );
  assert.equal((await ask(await api.token(['read']))).code, 'FORBIDDEN');
  assert.equal((await ask(await api.token(['admin'], { projects: ['etl'] }))).code, 'FORBIDDEN');
});
