import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { quarantineSuite, refused } from '../../../test/contracts/quarantine-suite.ts';
import { openQuarantine, type SqliteQuarantine } from './quarantine-store.ts';

const memory = (maxBytes?: number, evicted: number[] = []): Promise<SqliteQuarantine> =>
  openQuarantine({
    file: ':memory:',
    ...(maxBytes === undefined ? {} : { maxBytes }),
    onEvicted: (records) => evicted.push(records),
  });

const idsOf = async (store: SqliteQuarantine): Promise<string[]> =>
  (await store.list({ limit: 1_000 })).map(({ id }) => id);

quarantineSuite('sqlite', () => memory());

test('a long record is never cut within a sign', async () => {
  await using store = await memory();
  await store.put([refused('1', { raw: `${'x'.repeat(65_535)}🙂` })]);
  assert.equal((await store.list({ limit: 1 }))[0]?.raw, `${'x'.repeat(65_535)}\ufffd`);
});

test('when it is full the oldest go, and who counts them hears how many', async () => {
  const evicted: number[] = [];
  await using store = await memory(1_000, evicted);
  const record = (id: string) => refused(id, { raw: 'x'.repeat(294) });
  await store.put([record('1'), record('2')]);
  assert.deepEqual([await idsOf(store), evicted], [['2', '1'], []]);
  await store.put([record('3')]);
  assert.deepEqual([await idsOf(store), evicted], [['3', '2'], [1]]);
  await store.put(['4', '5', '6', '7'].map(record));
  assert.deepEqual(
    [await idsOf(store), evicted],
    [
      ['7', '6'],
      [1, 4],
    ],
  );
});

test('what was removed makes room again, and what was not there does not', async () => {
  const evicted: number[] = [];
  await using store = await memory(1_000, evicted);
  const record = (id: string) => refused(id, { raw: 'x'.repeat(294) });
  await store.put([record('1'), record('2')]);
  assert.equal(await store.remove(['1', '1', 'no', '__proto__']), 1);
  await store.put([record('3')]);
  assert.deepEqual([await idsOf(store), evicted], [['3', '2'], []]);
  assert.equal(await store.remove([]), 0);
  await store.put([record('4')]);
  assert.deepEqual([await idsOf(store), evicted], [['4', '3'], [1]]);
});

test('it never holds more than its bytes, nor drops what has room', async () => {
  const step = fc.oneof(
    fc.record({ put: fc.array(fc.tuple(fc.nat(20), fc.nat(400)), { maxLength: 6 }) }),
    fc.record({ remove: fc.array(fc.nat(20), { maxLength: 3 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      await using store = await memory(1_500);
      let expected: { id: string; bytes: number }[] = [];
      for (const one of steps) {
        if ('remove' in one) {
          const ids = one.remove.map((n) => `${n}`);
          await store.remove(ids);
          expected = expected.filter(({ id }) => !ids.includes(id));
          continue;
        }
        await store.put(one.put.map(([n, size]) => refused(`${n}`, { raw: 'x'.repeat(size) })));
        for (const [n, size] of one.put) {
          const id = `${n}`;
          if (expected.some((other) => other.id === id)) continue;
          expected.push({ id, bytes: 100 + 2 * id.length + 4 + size });
        }
        const total = (): number => expected.reduce((sum, { bytes }) => sum + bytes, 0);
        while (total() > 1_500) expected.shift();
      }
      assert.deepEqual(await idsOf(store), expected.map(({ id }) => id).toReversed());
    }),
    { numRuns: 50 },
  );
});

test('threads that open a new file at once all write to it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quarantine-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const THREADS = 3;
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(async ({ openQuarantine }) => {
      for (const [round, file] of workerData.files.entries()) {
        parentPort.postMessage('ready');
        Atomics.wait(workerData.gate, 0, round);
        const store = await openQuarantine({ file });
        await store.put([{ ...workerData.record, id: workerData.id }]);
        await store[Symbol.asyncDispose]();
      }
    });`;
  const files = Array.from({ length: 12 }, (_, i) => join(folder, `${i}.db`));
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const module = import.meta.resolve('./quarantine-store.ts');
  let ready = 0;
  const ends = Array.from({ length: THREADS }, (_, i) => {
    const workerData = { module, files, gate, record: refused(''), id: `${i}` };
    const worker = new Worker(script, { eval: true, workerData });
    worker.on('message', () => {
      ready += 1;
      if (ready % THREADS !== 0) return;
      Atomics.add(gate, 0, 1);
      Atomics.notify(gate, 0);
    });
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => resolve());
    });
  });
  await Promise.all(ends);
  for (const file of files) {
    await using store = await openQuarantine({ file });
    assert.deepEqual((await idsOf(store)).sort(), ['0', '1', '2']);
  }
});
