import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeControlPlane } from '../../../test/support/fake-control-plane.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { ControlPlane } from './control-plane.ts';
import { FailModeCache } from './fail-mode-cache.ts';
import { runEvents } from './run-events.ts';
import { type Clearance, type RunPlan, StartGate } from './start-gate.ts';

const PLAN: RunPlan = {
  ...{ project: 'etl', application: 'nightly', history: undefined, pool: undefined },
  resources: undefined,
  ...{ minutes: undefined, maxPrice: undefined, maxCost: undefined, deadline: undefined },
  ...{ wait: false, lockMinutes: 0, leaseSeconds: 300, fail: undefined },
};

/** A gate before a control plane, with a clock that a test moves. */
async function gateOf(plane: FakeControlPlane, folder: string, plan: Partial<RunPlan> = {}) {
  const clock = new FakeClock();
  const said: string[] = [];
  const { url } = plane;
  const events = runEvents(
    { clock, err: (line) => said.push(line) },
    { json: false, quiet: false },
  );
  const cache = new FailModeCache(folder, { url, project: 'etl' });
  const control = new ControlPlane({ url, token: undefined, clock });
  const gate = new StartGate(
    { plane: control, clock, events, cache, random: randomBytes },
    { ...PLAN, ...plan },
  );
  const stop = new AbortController();
  const text = (): string => said.join('');
  return { gate, clock, text, stop, clear: () => gate.clear(stop.signal) };
}

/** Moves time whenever somebody sleeps, until it is done; `at` hears each time it woke. */
async function drive(
  clock: FakeClock,
  done: Promise<Clearance>,
  at: (ms: number) => void = () => undefined,
): Promise<Clearance> {
  let result: Clearance | undefined;
  const settled = done.then((one) => {
    result = one;
  });
  while (result === undefined) {
    if (clock.sleepers === 0) await new Promise((next) => setImmediate(next));
    else {
      at(clock.elapsed());
      await clock.advance(1_000);
    }
  }
  await settled;
  return result;
}

test('price and cost are shown, and what it may cost is held', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.multiplier = '1.15';
  plane.cost = '12.5';
  const { clear, text } = await gateOf(plane, folder.path);
  const cleared = await clear();
  assert.match(text(), /project etl pays 1\.15 X in pool shared; expected cost of nightly: 12\.5/);
  assert.deepEqual(plane.steps, ['POST quotes', 'POST reservations']);
  const { body } = await plane.request('POST reservations');
  assert.deepEqual(cleared, { go: true, reservation: body['id'], quote: undefined });
  assert.match(String(body['id']), /^run-[0-9a-f]{24}$/);
  assert.deepEqual([body['maxCost'], body['leaseSeconds']], ['12.5', 300]);
});

test('what it holds: --max-cost, else the forecast, else an hour of its resources', async () => {
  await using folder = await temporaryFolder();
  const resources = { cores: 10, memoryMib: 1_024, gpus: 0, executors: 5, containers: 6 };
  for (const [cost, plan, held] of [
    ['12', { maxCost: '20' }, '20'],
    [undefined, { resources }, '36'],
    [undefined, {}, '0'],
  ] as const) {
    await using plane = await FakeControlPlane.open();
    plane.cost = cost;
    await (await gateOf(plane, folder.path, plan)).clear();
    const { body } = await plane.request('POST reservations');
    assert.equal(body['maxCost'], held);
    if (!('resources' in plan)) continue;
    const { executors, containers, ...sizes } = resources;
    assert.deepEqual(body['resources'], { ...sizes, executors });
    const asked = await plane.request('POST quotes');
    assert.deepEqual(asked.body['resources'], { ...sizes, containers }, 'each pays its minimum');
  }
});

test('a price above the maximum stops it, with when it may come down, and holds nothing', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.multiplier = '1.45';
  const { clear } = await gateOf(plane, folder.path, { maxPrice: '1.2' });
  const cleared = await clear();
  assert.ok(!cleared.go);
  assert.match(cleared.message, /1\.45 X, above 1\.2 X; expected about 2026-11-21 09:00 UTC/);
  assert.deepEqual(plane.steps, ['POST quotes']);
});

test('--wait waits until the price is low enough, says so once a price, then locks it', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.multiplier = '1.45';
  const plan = { maxPrice: '1.2', wait: true, lockMinutes: 60 };
  const { clear, clock, text } = await gateOf(plane, folder.path, plan);
  const cleared = await drive(clock, clear(), (ms) => {
    if (ms >= 300_000) plane.multiplier = '1.20';
    else if (ms >= 120_000) plane.multiplier = '1.40';
  });
  assert.ok(cleared.go);
  assert.equal(cleared.quote, 'abc123');
  assert.equal(text().match(/waiting:/g)?.length, 2, text());
  assert.match(text(), /the price is locked: at most 1\.20 X until 2026-11-21 10:00 UTC/);
  assert.equal((await plane.request('POST reservations')).body['quote'], 'abc123');
  assert.ok(clock.elapsed() >= 300_000 && clock.elapsed() < 330_000);
});

test('--wait ends at the deadline, without a start', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.multiplier = '1.45';
  const deadline = new Date(new FakeClock().now() + 3_600_000).toISOString();
  const plan = { maxPrice: '1.2', wait: true, deadline };
  const { clear, clock } = await gateOf(plane, folder.path, plan);
  const cleared = await drive(clock, clear());
  assert.ok(!cleared.go);
  assert.match(cleared.message, /2026-11-21 10:00 UTC has come, and the price is 1\.45 X/);
  assert.ok(clock.elapsed() >= 3_600_000 && clock.elapsed() < 3_603_000);
});

test('a cost above the maximum stops it even where it would wait', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.cost = '50';
  const plan = { maxCost: '20', maxPrice: '2', wait: true };
  const cleared = await (await gateOf(plane, folder.path, plan)).clear();
  assert.deepEqual(cleared, { go: false, message: 'it costs too much' });
});

test('a limit refuses: with --wait only what may change is waited for', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  const plan = { wait: true, maxPrice: '2' };
  plane.refusals.set('reservations', { status: 403, detail: 'no room', retryAfter: [30, 20] });
  const { clear, clock, text } = await gateOf(plane, folder.path, plan);
  const cleared = await drive(clock, clear(), (ms) => {
    if (ms > 60_000) plane.refusals.clear();
  });
  assert.ok(cleared.go);
  assert.equal(text().match(/waiting: no room/g)?.length, 1);
  const ids = plane.asked.flatMap(({ path, body }) => (/ations$/.test(path) ? [body['id']] : []));
  assert.equal(new Set(ids).size, ids.length, 'each hold has an id of its own');
  plane.refusals.set('reservations', { status: 403, detail: 'broke', retryAfter: [30, null] });
  const never = await (await gateOf(plane, folder.path, plan)).clear();
  assert.deepEqual(never, { go: false, message: 'broke' });
});

test('a price that cannot be locked is a warning, no reason to stop', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  const { clear, text } = await gateOf(plane, folder.path, { lockMinutes: 60 });
  const cleared = clear();
  await plane.request('POST quotes');
  plane.refusals.set('quotes', { status: 429, detail: 'too many locked prices', header: 600 });
  assert.ok((await cleared).go);
  assert.match(text(), /could not be locked: too many locked prices/);
});

test('nobody answers and nothing is known: it starts, and says so', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  const { clear, clock, text } = await gateOf(plane, folder.path);
  await plane.close();
  assert.deepEqual(await drive(clock, clear()), {
    go: true,
    reservation: undefined,
    quote: undefined,
  });
  assert.match(
    text(),
    /no Tollgate answers .*ECONNREFUSED.* without a reservation: nothing is known/,
  );
});

test('a project that fails closed is remembered from the last answer; --fail goes before', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.failMode = 'closed';
  assert.ok((await (await gateOf(plane, folder.path)).clear()).go);
  assert.equal(readdirSync(folder.path).length, 1);
  plane.health = 'fails';
  const closed = await gateOf(plane, folder.path);
  const cleared = await drive(closed.clock, closed.clear());
  assert.ok(!cleared.go);
  assert.match(cleared.message, /fails closed, as told 2026-11-21 09:00 UTC/);
  const told = await gateOf(plane, folder.path, { fail: 'open' });
  assert.ok((await drive(told.clock, told.clear())).go);
  assert.match(told.text(), /without a reservation: --fail open/);
});

test('an outage while it waits is waited out; a hold whose answer is lost keeps its id', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.multiplier = '1.45';
  const { clear, clock, text } = await gateOf(plane, folder.path, { maxPrice: '1.2', wait: true });
  const cleared = await drive(clock, clear(), (ms) => {
    plane.health = ms > 60_000 && ms < 240_000 ? 'fails' : 'up';
    if (ms > 300_000) plane.multiplier = '1.00';
  });
  assert.ok(cleared.go && cleared.reservation !== undefined);
  assert.equal(text().match(/waiting: no Tollgate answers/g)?.length, 1);
  plane.refusals.set('reservations', { status: 503, detail: 'away' });
  const lost = await gateOf(plane, folder.path);
  const open = await drive(lost.clock, lost.clear());
  const last = plane.asked.at(-1)?.body['id'];
  assert.deepEqual(open, { go: true, reservation: last, quote: undefined });
});

test('a refusal that names the caller stops it: no fail mode lets it through', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.refusals.set('quotes', { status: 401, detail: 'a token is needed' });
  const { clear } = await gateOf(plane, folder.path, { fail: 'open' });
  assert.deepEqual(await clear(), { go: false, message: 'a token is needed' });
});

test('who is interrupted while waiting starts nothing', async () => {
  await using plane = await FakeControlPlane.open();
  await using folder = await temporaryFolder();
  plane.multiplier = '1.45';
  const { clear, clock, stop } = await gateOf(plane, folder.path, { maxPrice: '1', wait: true });
  const cleared = await drive(clock, clear(), () => stop.abort());
  assert.deepEqual(cleared, { go: false, message: 'interrupted' });
});

test('a cache that cannot be written or read is no reason to stop', async () => {
  await using plane = await FakeControlPlane.open();
  assert.ok((await (await gateOf(plane, join('/dev/null', 'x'))).clear()).go);
});
