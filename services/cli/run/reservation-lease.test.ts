import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeControlPlane } from '../../../test/support/fake-control-plane.ts';
import { ControlPlane } from './control-plane.ts';
import { ReservationLease } from './reservation-lease.ts';
import { runEvents } from './run-events.ts';

/** A lease of 300 s, kept by a clock that a test moves. */
function leaseOf({ url }: FakeControlPlane) {
  const clock = new FakeClock();
  const said: string[] = [];
  const events = runEvents(
    { clock, err: (line) => said.push(line) },
    { json: false, quiet: false },
  );
  const plane = new ControlPlane({ url, token: undefined, clock });
  const reservation = { project: 'etl', id: 'run-1', leaseSeconds: 300 };
  const lease = new ReservationLease({ plane, clock, events }, reservation);
  const stop = new AbortController();
  const kept = lease.keep(stop.signal);
  /** Time goes on second by second; whoever asks gets an answer before the next one. */
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1_000);
      while (clock.sleepers === 0 && !over) await new Promise((next) => setImmediate(next));
    }
  };
  let over = false;
  void kept.then(() => {
    over = true;
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await kept;
  };
  return { lease, clock, said, pass, end };
}

test('a lease is renewed at each third of its time', async () => {
  await using plane = await FakeControlPlane.open();
  const { pass, end, said } = leaseOf(plane);
  await pass(99);
  assert.deepEqual(plane.steps, []);
  await pass(1);
  assert.deepEqual(plane.asked[0], {
    method: 'PUT',
    path: '/v1/projects/etl/reservations/run-1/lease',
    body: { leaseSeconds: 300 },
  });
  await pass(200);
  assert.equal(plane.asked.length, 3);
  await end();
  assert.deepEqual(said, []);
});

test('an outage is one line, and its end another; it is asked more often meanwhile', async () => {
  await using plane = await FakeControlPlane.open();
  const { pass, end, said } = leaseOf(plane);
  plane.health = 'fails';
  await pass(190);
  assert.equal(plane.asked.length, 7);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /does not answer .*; the command goes on/);
  plane.health = 'up';
  await pass(15);
  assert.match(said[1] ?? '', /answers again/);
  await pass(99);
  assert.equal(plane.asked.length, 8);
  await end();
});

test('a reservation that is over is told once, and neither renewed nor ended', async () => {
  await using plane = await FakeControlPlane.open();
  const { lease, pass, said } = leaseOf(plane);
  plane.refusals.set('lease', { status: 409, detail: 'it has expired' });
  await pass(300);
  assert.deepEqual(plane.steps, ['PUT lease']);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /the reservation is over \(it has expired\); the command goes on/);
  await lease.end('post', new AbortController().signal);
  assert.deepEqual(plane.steps, ['PUT lease']);
});

test('at the end what was not used is given back, or it is said that time will do it', async () => {
  await using plane = await FakeControlPlane.open();
  const { lease, end, said, clock } = leaseOf(plane);
  await end();
  await lease.end('post', new AbortController().signal);
  await lease.end('void', new AbortController().signal);
  assert.deepEqual(plane.steps, ['POST post', 'POST void']);
  plane.health = 'fails';
  const ending = lease.end('post', new AbortController().signal);
  while (plane.asked.length < 5) {
    await new Promise((next) => setImmediate(next));
    await clock.advance(1_000);
  }
  await ending;
  assert.match(said.join(''), /run-1 could not be released .* ends by itself when its lease does/);
});
