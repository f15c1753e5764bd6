import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { AT, logRecord } from '../../../test/contracts/log-store-suite.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { openLogBench } from '../../../test/support/open-log-bench.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { LogReader } from '../log-store.ts';
import { openLogReader } from './log-reader.ts';
import { openLogWriter } from './log-writer.ts';

const ETL = 'etl' as ProjectId;
const EVER = { from: 0, until: Date.UTC(2040, 0, 1), limit: 1_000 };
const CHILD = join(import.meta.dirname, '../../../test/support/log-writer-child.ts');
const LINES = 10;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'log-writer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Runs a writer of its own until `seen` says stop; gives the last batch it acknowledged. */
async function write(
  command: readonly [string, ...string[]],
  seen: (batch: number) => 'stop' | 'go' | Promise<'stop' | 'go'>,
): Promise<{ last: number; full: boolean }> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let last = -1;
  let full = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'full') full = true;
    else last = Number(line);
    if (!full && (await seen(last)) === 'stop') child.kill('SIGKILL');
  }
  await exited;
  return { last, full };
}

/** How often each line is stored, by its message. */
async function stored(reader: LogReader): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const page = await reader.search(ETL, { ...EVER, ...(cursor === undefined ? {} : { cursor }) });
    for (const { message } of page.records) counts.set(message, (counts.get(message) ?? 0) + 1);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return counts;
}

/** Each line of batches 0 to `last`, and of at most `unheard` more, is there once, and nothing else. */
async function assertExactlyOnce(folder: string, last: number, unheard = 1): Promise<number> {
  await using reader = await openLogReader({ folder });
  const counts = await stored(reader);
  const batches = counts.size / LINES;
  // The kill may come between a commit and its acknowledgement.
  assert.ok(
    batches > last && batches <= last + 1 + unheard,
    `${batches} batches, ${last} acknowledged`,
  );
  for (let batch = 0; batch < batches; batch += 1) {
    for (let line = 0; line < LINES; line += 1) {
      assert.equal(counts.get(`batch${batch} line${line}`), 1, `batch ${batch} line ${line}`);
    }
  }
  assert.equal((await reader.volume(ETL, 0)).records, batches * LINES);
  return batches;
}

test('a writer killed at any point and started again stores each line exactly once', async (t) => {
  const folder = folderOf(t);
  let last = -1;
  for (const killAfter of [3, 41, 42, 110]) {
    const run = await write([process.execPath, CHILD, folder], (batch) =>
      batch >= killAfter ? 'stop' : 'go',
    );
    last = Math.max(last, run.last);
    last = (await assertExactlyOnce(folder, last)) - 1;
  }
});

test('a disk that fills up keeps whole batches alone, and room lets it go on', async (t) => {
  const folder = folderOf(t);
  // The largest file a process may write is a disk that is full; dash counts blocks of 512 bytes.
  const limited = ['sh', '-c', 'ulimit -f 500; exec "$0" "$@"', process.execPath, CHILD, folder];
  const { last, full } = await write(limited as [string, ...string[]], () => 'go');
  assert.ok(full, `no end of room after ${last} batches`);
  const batches = await assertExactlyOnce(folder, last);
  assert.equal(batches, last + 1);
  const again = await write([process.execPath, CHILD, folder], (batch) =>
    batch >= last + 20 ? 'stop' : 'go',
  );
  await assertExactlyOnce(folder, again.last);
});

test('readers beside a writer in another process see whole batches, and never fewer', async (t) => {
  const folder = folderOf(t);
  await using one = await openLogReader({ folder });
  await using two = await openLogReader({ folder });
  let before = 0;
  const { last } = await write([process.execPath, CHILD, folder], async (batch) => {
    for (const reader of [one, two]) {
      const found = await reader.search(ETL, { ...EVER, text: `batch${batch}` });
      assert.equal(found.records.length, LINES, 'what is acknowledged is found');
      const next = await reader.search(ETL, { ...EVER, application: `a${batch + 1}` });
      assert.ok([0, LINES].includes(next.records.length), `${next.records.length} of a batch`);
      const { records } = await reader.volume(ETL, 0);
      assert.ok(records >= before && records % LINES === 0, `${records} after ${before}`);
      before = records;
    }
    return batch >= 15 ? 'stop' : 'go';
  });
  // The writer went on while the readers read: what it said last may not have been heard.
  await assertExactlyOnce(folder, last, Number.POSITIVE_INFINITY);
});

test('a disk at its reserve takes nothing, checkpoints included, until there is room', async (t) => {
  const folder = folderOf(t);
  const clock = new FakeClock(AT);
  const batch = {
    records: [logRecord({ id: 'x' })],
    checkpoints: [{ source: 's', position: '1' }],
  };
  {
    const limits = { commitIntervalMs: 0, diskReserveBytes: 1e18 };
    await using full = await openLogWriter({ folder, clock, limits });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(full.write(batch), { code: 'DISK_FULL', message: /free some/ });
    }
    assert.deepEqual(await full.checkpoints(''), []);
  }
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  await using writer = await openLogWriter({ folder, clock, limits });
  assert.deepEqual(await writer.write(batch), { stored: 1, duplicates: 0 });
});

test('a batch that cannot be stored leaves nothing, and the next one is stored', async () => {
  await using bench = await openLogBench();
  const { writer, reader } = bench;
  const good = logRecord({ id: 'x', message: 'good' });
  const bad = { ...logRecord(), thread: Symbol('no text') } as never;
  const checkpoints = [{ source: 's', position: '1' }];
  await assert.rejects(writer.write({ records: [good, bad], checkpoints }), TypeError);
  assert.deepEqual(await writer.checkpoints(''), []);
  assert.deepEqual(await writer.write({ records: [good], checkpoints }), {
    stored: 1,
    duplicates: 0,
  });
  assert.equal((await reader.search(ETL, EVER)).records.length, 1);
});

test('an id repeated within a batch, a group of batches, a day and its parts is stored once', async () => {
  await using bench = await openLogBench({ maxFileBytes: 1 });
  const { writer, reader } = bench;
  const batch = (id: string) => ({
    records: [logRecord({ id }), logRecord({ id })],
    checkpoints: [],
  });
  const results = await Promise.all([writer.write(batch('a')), writer.write(batch('a'))]);
  assert.deepEqual(results, [
    { stored: 1, duplicates: 1 },
    { stored: 0, duplicates: 2 },
  ]);
  assert.deepEqual(await writer.write(batch('a')), { stored: 0, duplicates: 2 });
  assert.ok(bench.files().length > 1, 'stored in an earlier part');
  const other = logRecord({ id: 'a', project: 'ml' as ProjectId });
  assert.equal((await writer.write({ records: [other], checkpoints: [] })).stored, 1);
  assert.equal((await reader.search(ETL, EVER)).records.length, 1);
});

test('lines of years that cannot be are stored in any number, and hold up no others', async () => {
  await using bench = await openLogBench();
  const at = Date.UTC(2150, 0, 1);
  const records = Array.from({ length: 9_000 }, (_, i) => logRecord({ at, message: `${i}` }));
  await bench.writer.write({ records: [...records, logRecord()], checkpoints: [] });
  const writer = await bench.reopen();
  await writer.write({ records, checkpoints: [] });
  const { records: found } = await bench.reader.search(ETL, {
    from: at,
    until: at + 1,
    limit: 9,
    text: '8999',
  });
  assert.deepEqual(
    found.map((one) => [one.at, one.message]),
    [
      [at, '8999'],
      [at, '8999'],
    ],
  );
  assert.equal((await bench.reader.search(ETL, EVER)).records.length, 1);
});

test('writes shortly after a commit wait for the next one, and a large group does not', async (t) => {
  const clock = new FakeClock(AT);
  const folder = folderOf(t);
  const limits = { commitIntervalMs: 100, commitRecords: 3, diskReserveBytes: 0 };
  await using writer = await openLogWriter({ folder, clock, limits });
  await using reader = await openLogReader({ folder });
  const one = { records: [logRecord()], checkpoints: [] };
  const count = async (): Promise<number> => (await reader.search(ETL, EVER)).records.length;
  await writer.write(one);
  const second = writer.write(one);
  await clock.advance(99);
  assert.equal(await count(), 1);
  await clock.advance(1);
  await second;
  assert.equal(await count(), 2);
  await Promise.all([writer.write(one), writer.write(one), writer.write(one)]);
  assert.equal(await count(), 5, 'without a step of the clock');
});

test('closing stores what waits, refuses what comes later, and may be done again', async (t) => {
  const folder = folderOf(t);
  const limits = { commitIntervalMs: 60_000, diskReserveBytes: 0 };
  const writer = await openLogWriter({ folder, clock: new FakeClock(AT), limits });
  const one = { records: [logRecord()], checkpoints: [] };
  await writer.write(one);
  const waiting = writer.write(one);
  await writer[Symbol.asyncDispose]();
  assert.equal((await waiting).stored, 1);
  await assert.rejects(writer.write(one), { code: 'STORE_UNAVAILABLE' });
  await writer[Symbol.asyncDispose]();
});
