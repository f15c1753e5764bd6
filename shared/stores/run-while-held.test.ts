import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { AppError } from '../errors/app-error.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { HeldLease } from './held-lease.ts';
import type { LeaseStore } from './lease.ts';
import { runWhileHeld } from './run-while-held.ts';
import { openSqliteLeaseStore } from './sql/lease-store.ts';

const TTL_MS = 9_000;

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function world() {
  const clock = new FakeClock();
  const store = await openSqliteLeaseStore({ file: ':memory:', clock });
  const stop = new AbortController();
  const log: string[] = [];
  const start = (holder: string, over: Partial<LeaseStore> = {}) => {
    const leases = {
      acquire: store.acquire.bind(store),
      renew: store.renew.bind(store),
      held: store.held.bind(store),
      release: store.release.bind(store),
      ...over,
    } as LeaseStore;
    const lease = new HeldLease({ store: leases, name: 'task', holder, ttlMs: TTL_MS, clock });
    const options = { lease, checkIntervalMs: 3_000, clock, logger: silentLogger };
    const task = async (signal: AbortSignal): Promise<void> => {
      log.push(`${holder} begins`);
      await clock.sleep(1e9, signal);
      log.push(`${holder} ends`);
    };
    return { lease, running: runWhileHeld(task, { ...options, signal: stop.signal }) };
  };
  return { clock, log, start, stop };
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await clock.advance(1_000);
    await turns();
  }
}

test('one of two runs the task, for as long as it renews the lease', async () => {
  const { clock, log, start, stop } = await world();
  const first = start('a');
  await turns();
  const second = start('b');
  await pass(clock, 60_000);
  assert.deepEqual(log, ['a begins']);
  stop.abort();
  await Promise.all([first.running, second.running]);
  assert.deepEqual(log, ['a begins', 'a ends']);
});

test('a lease that is taken away ends the task, and the other begins it', async () => {
  const { clock, log, start, stop } = await world();
  let away = false;
  const refuse = async (): Promise<undefined> => undefined;
  const first = start('a', {
    renew: async () => {
      if (away) throw new AppError('STORE_UNAVAILABLE', 'the network is cut');
      return undefined;
    },
  });
  await turns();
  assert.deepEqual(log, ['a begins']);
  away = true;
  const second = start('b', { renew: refuse });
  await pass(clock, 5_000);
  assert.deepEqual(log, ['a begins', 'a ends']);
  await pass(clock, 15_000);
  assert.deepEqual(log.slice(0, 3), ['a begins', 'a ends', 'b begins']);
  stop.abort();
  await Promise.all([first.running, second.running]);
});

test('a task that fails is told to whoever waits for the end', async () => {
  const clock = new FakeClock();
  await using store = await openSqliteLeaseStore({ file: ':memory:', clock });
  const lease = new HeldLease({ store, name: 'task', holder: 'a', ttlMs: TTL_MS, clock });
  await assert.rejects(
    runWhileHeld(() => Promise.reject(new Error('no such folder')), {
      lease,
      checkIntervalMs: 3_000,
      clock,
      logger: silentLogger,
      signal: new AbortController().signal,
    }),
    /no such folder/,
  );
});
