import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AT, logRecord } from '../../../test/contracts/log-store-suite.ts';
import { BulkServer, LeapingClock } from '../../../test/support/bulk-server.ts';
import { dailyPlaces } from '../../../test/support/daily-places.ts';
import { MapCheckpoints } from '../../../test/support/map-checkpoints.ts';
import type { LogRecord } from '../../contracts/log-record.ts';
import { must } from '../../errors/assert.ts';
import { DAY_MS, HOUR_MS } from '../../values/instant.ts';
import { documentId } from './elastic-log-document.ts';
import type { ElasticRequest } from './elastic-requests.ts';
import { type PlacedLog, RepeatFinder } from './repeat-finder.ts';

const places = dailyPlaces('logs');

function placed(record: LogRecord): PlacedLog {
  const id = must(documentId(record), 'it has an identity');
  return { record, id, index: places.place(record.project, record.at) };
}

/** A server that counts what it is asked for by id. */
class CountingServer extends BulkServer {
  readonly asked: string[] = [];

  override send(request: ElasticRequest) {
    const { docs } = request.body as { docs: { _index: string }[] };
    this.asked.push(...docs.map(({ _index }) => _index));
    return super.send(request);
  }
}

function setUp(savedAt?: number) {
  const server = new CountingServer();
  const checkpoints = new MapCheckpoints(() => savedAt ?? AT);
  if (savedAt !== undefined) checkpoints.saved.set('file:1', { position: 'p', at: savedAt });
  const finder = new RepeatFinder({
    requests: server,
    places,
    checkpoints,
    clock: new LeapingClock(AT),
  });
  return { server, finder };
}

const observed = { marks: ['time-observed'], origin: 'file:1#0+9' };

test('a line that was read before midnight and again after it is a repeat', async () => {
  const { server, finder } = setUp(AT - DAY_MS);
  const before = placed(logRecord({ ...observed, at: AT - DAY_MS }));
  server.documents.add(`${before.index}/${before.id}`);
  const again = placed(logRecord({ ...observed, at: AT }));
  const fresh = placed(logRecord({ ...observed, at: AT, origin: 'file:1#9+9' }));
  assert.deepEqual(await finder.repeats([again, fresh], new Set()), new Set([again.id]));
});

test('nothing is asked for lines with a time of their own', async () => {
  const { server, finder } = setUp(AT - DAY_MS);
  await finder.repeats([placed(logRecord({ origin: 'file:1#0+9' }))], new Set());
  assert.deepEqual(server.asked, []);
});

test('nothing is asked where all can only lie in the index that is written to', async () => {
  const { server, finder } = setUp(AT - HOUR_MS);
  await finder.repeats([placed(logRecord({ ...observed, at: AT }))], new Set());
  assert.deepEqual(server.asked, []);
});

test('nothing is asked for a source that begins here', async () => {
  const { server, finder } = setUp();
  await finder.repeats([placed(logRecord({ ...observed, at: AT }))], new Set(['file:1']));
  assert.deepEqual(server.asked, []);
});

test('a sender without checkpoints may have repeated itself within two days', async () => {
  const { server, finder } = setUp();
  const { origin: _, ...rest } = logRecord({ ...observed, id: 'i', at: AT });
  await finder.repeats([placed(rest)], new Set());
  assert.deepEqual(server.asked, ['logs-etl~2026-11-19', 'logs-etl~2026-11-20']);
});

test('a line without a time among old ones is looked for around them too', async () => {
  const { server, finder } = setUp(AT - HOUR_MS);
  const old = AT - 20 * DAY_MS;
  const first = placed(logRecord({ ...observed, at: old }));
  server.documents.add(`${first.index}/${first.id}`);
  const again = placed(logRecord({ ...observed, at: AT }));
  const next = placed(logRecord({ origin: 'file:1#9+9', at: old + 5 }));
  assert.deepEqual(await finder.repeats([again, next], new Set()), new Set([again.id]));
  assert.ok(server.asked.length <= 2, server.asked.join());
});

test('an index that is not there holds nothing', async () => {
  const { server, finder } = setUp(AT - DAY_MS);
  const doc = { _id: 'x', error: { type: 'index_not_found_exception', reason: 'no such index' } };
  server.send = async () => ({ status: 200, body: { docs: [doc] } });
  const found = await finder.repeats([placed(logRecord({ ...observed, at: AT }))], new Set());
  assert.equal(found.size, 0);
});

for (const [what, answer, code] of [
  ['busy', { status: 429, body: {} }, 'STORE_UNAVAILABLE'],
  ['forbidden', { status: 403, body: {} }, 'STORE_MISCONFIGURED'],
  [
    'unable to read a shard',
    {
      status: 200,
      body: { docs: [{ _id: 'x', error: { type: 'no_shard_available_action_exception' } }] },
    },
    'STORE_UNAVAILABLE',
  ],
] as const) {
  test(`a server that is ${what} fails the write, as nobody knows`, async () => {
    const { server, finder } = setUp(AT - DAY_MS);
    server.send = async () => answer;
    const log = placed(logRecord({ ...observed, at: AT }));
    await assert.rejects(finder.repeats([log], new Set()), { code });
  });
}
