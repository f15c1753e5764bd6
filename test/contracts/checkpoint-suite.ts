import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { CheckpointStore } from '../../shared/stores/checkpoint.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import { T0 } from '../support/fact-builders.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** What every store of checkpoints does, whatever it is stored in. */
export function checkpointSuite(
  engine: string,
  open: (clock: Clock) => Promise<CheckpointStore>,
): void {
  test(`${engine}: checkpoints are found by the start of their source, in order`, async () => {
    await using store = await open(new FakeClock(T0));
    const sources = ['logs/b', 'logs/a', 'logs_a', 'LOGS/a', 'logs/%', 'é/1'];
    await store.save(sources.map((source) => ({ source, position: `{"at":"${source}"}` })));
    assert.deepEqual(await store.checkpoints('logs/'), [
      { source: 'logs/%', position: '{"at":"logs/%"}' },
      { source: 'logs/a', position: '{"at":"logs/a"}' },
      { source: 'logs/b', position: '{"at":"logs/b"}' },
    ]);
    assert.equal((await store.checkpoints('')).length, 6);
    assert.deepEqual(await store.checkpoints('%'), []);
    assert.equal((await store.checkpoints('é/')).length, 1);
  });

  test(`${engine}: the later position of a source replaces the one before`, async () => {
    await using store = await open(new FakeClock(T0));
    await store.save([
      { source: 'a', position: '1' },
      { source: 'b', position: '1' },
      { source: 'a', position: '2' },
    ]);
    await store.save([{ source: 'b', position: '3' }]);
    await store.save([]);
    assert.deepEqual(await store.checkpoints(''), [
      { source: 'a', position: '2' },
      { source: 'b', position: '3' },
    ]);
  });

  test(`${engine}: an empty position removes a source`, async () => {
    await using store = await open(new FakeClock(T0));
    await store.save([
      { source: 'a', position: '1' },
      { source: 'b', position: '1' },
    ]);
    await store.save([
      { source: 'a', position: '' },
      { source: 'c', position: '' },
    ]);
    assert.deepEqual(await store.checkpoints(''), [{ source: 'b', position: '1' }]);
  });

  test(`${engine}: the newest saving is told by the start of the source`, async () => {
    const clock = new FakeClock(T0);
    await using store = await open(clock);
    assert.equal(await store.lastSavedAt(''), undefined);
    await store.save([{ source: 'logs/a', position: '1' }]);
    await clock.advance(5_000);
    await store.save([{ source: 'logs/b', position: '1' }]);
    await clock.advance(5_000);
    await store.save([{ source: 'metrics/a', position: '1' }]);
    assert.equal(await store.lastSavedAt('logs/'), T0 + 5_000);
    assert.equal(await store.lastSavedAt(''), T0 + 10_000);
    assert.equal(await store.lastSavedAt('none'), undefined);
  });

  test(`${engine}: more checkpoints than one statement takes are saved together`, async () => {
    await using store = await open(new FakeClock(T0));
    const many = Array.from({ length: 1_234 }, (_, i) => ({ source: `s${i}`, position: `${i}` }));
    await Promise.all([store.save(many), store.save([...many].reverse())]);
    assert.equal((await store.checkpoints('s')).length, 1_234);
  });
}

const LONG_MS = 600_000;

/** What a store of checkpoints does whose database has leases too. */
export function checkpointFenceSuite(
  engine: string,
  open: () => Promise<{ readonly checkpoints: CheckpointStore; readonly leases: LeaseStore }>,
): void {
  test(`${engine}: checkpoints under a lease that another has taken are not saved`, async () => {
    const { checkpoints, leases } = await open();
    await using _checkpoints = checkpoints;
    const kept = must(await leases.acquire('files/0', 'a', LONG_MS), 'lease');
    const old = must(await leases.acquire('files/1', 'a', LONG_MS), 'lease');
    await checkpoints.save([{ source: 'a', position: '1' }], [kept, old]);
    await leases.release(old);
    await checkpoints.save([{ source: 'a', position: '2' }], [old]);
    const held = must(await leases.acquire('files/1', 'b', LONG_MS), 'lease');
    const late = [
      { source: 'a', position: '0' },
      { source: 'b', position: '0' },
    ];
    await assert.rejects(checkpoints.save(late, [kept, old]), { code: 'FENCED' });
    await assert.rejects(checkpoints.save([{ source: 'a', position: '' }], [old]), {
      code: 'FENCED',
    });
    assert.deepEqual(await checkpoints.checkpoints(''), [{ source: 'a', position: '2' }]);
    await checkpoints.save([{ source: 'a', position: '3' }], [kept, held]);
    assert.deepEqual(await checkpoints.checkpoints(''), [{ source: 'a', position: '3' }]);
  });

  test(`${engine}: fences are checked with nothing to save too`, async () => {
    const { checkpoints, leases } = await open();
    await using _checkpoints = checkpoints;
    const held = must(await leases.acquire('files/0', 'a', LONG_MS), 'lease');
    await checkpoints.save([], [held]);
    const invented = { name: 'files/1', token: 1n };
    await assert.rejects(checkpoints.save([], [held, invented]), { code: 'FENCED' });
  });
}
