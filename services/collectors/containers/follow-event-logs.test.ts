import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  constants,
  createZstdCompress,
  gunzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import fc from 'fast-check';
import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import { NO_RULE } from '../../../shared/contracts/container-fact.ts';
import { EventLogReader } from '../../../shared/event-log/event-log-reader.ts';
import { EventLogLines } from '../../../shared/event-log/read-event-log.ts';
import { UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { ContainersBench } from '../../../test/support/containers-bench.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { withDigest } from './fact-id.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const SCAN_MS = 1_000;

async function sample(path: string): Promise<Buffer> {
  const bytes = await readFile(sharedDataFile(path));
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}
const KILLED = 'spark4/eventlog/app-20261121072159-0000.killed-by-master.cut.jsonl.gz';
const AM_KILLED = 'spark4/eventlog/application_1795248855005_0001_1.am-kill9.cut.jsonl.gz';
const SECOND = 'spark4/eventlog/application_1795248855005_0001_2.cut.jsonl.gz';

/** What a reader makes of the whole log at once. */
function readAtOnce(
  bytes: Buffer,
  finish = true,
): { facts: JournalFact[]; reader: EventLogReader } {
  const reader = new EventLogReader({
    cluster: 'main',
    attribute: () => ({ project: UNATTRIBUTED, rule: NO_RULE }),
    fallback: { application: 'none', attempt: '' },
  });
  const lines = new EventLogLines(reader);
  lines.push(bytes);
  lines.end();
  if (finish) reader.finish('the log is closed without an end of the application');
  const facts = reader.takeFacts().map((fact) => ('rule' in fact ? withDigest(fact) : fact));
  return { facts, reader };
}

const byId = (facts: readonly JournalFact[]) =>
  [...facts].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

class LogBench implements AsyncDisposable {
  readonly collector: ContainersBench;
  readonly folder: string;
  readonly #more: object;

  private constructor(collector: ContainersBench, more: object) {
    this.collector = collector;
    this.folder = join(collector.folder, 'spark-events');
    this.#more = more;
  }

  static async open(more: object = {}): Promise<LogBench> {
    const bench = new LogBench(await ContainersBench.open(NOW), more);
    await mkdir(bench.folder);
    return bench;
  }

  async start(): Promise<void> {
    await this.collector.start({
      clusters: [{ id: 'main', eventLogs: [this.folder] }],
      scanIntervalMs: SCAN_MS,
      activityIntervalMs: 0,
      ...this.#more,
    });
    await this.collector.until(() => this.collector.clock.sleepers === 1);
  }

  /** Lets the collector look once more at its folder. */
  async scan(ms = SCAN_MS): Promise<void> {
    await this.collector.clock.advance(ms);
    await this.collector.until(() => this.collector.clock.sleepers === 1);
  }

  async facts(): Promise<JournalFact[]> {
    const stored = await this.collector.ledger.journalReader.factsAfter(0, 100_000);
    return byId(stored.map(({ fact }) => fact));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.collector[Symbol.asyncDispose]();
  }
}

/** Bytes as Spark's continuous zstd stream writes them: one frame, flushed after each piece. */
async function zstdPieces(pieces: readonly Buffer[], end: boolean): Promise<Buffer[]> {
  const stream = createZstdCompress();
  const out: Buffer[] = [];
  let current: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => current.push(chunk));
  for (const piece of pieces) {
    stream.write(piece);
    await new Promise<void>((resolve) => stream.flush(constants.ZSTD_e_flush, resolve));
    out.push(Buffer.concat(current));
    current = [];
  }
  if (end) {
    stream.end();
    await new Promise((resolve) => stream.once('end', resolve));
    out.push(Buffer.concat(current));
  } else stream.destroy();
  return out;
}

function cut(bytes: Buffer, points: readonly number[]): Buffer[] {
  const at = [...new Set(points.map((point) => point % bytes.length))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

test('a log that grows by any pieces, with restarts anywhere, gives what reading it at once gives', async () => {
  const whole = await sample(KILLED);
  const expected = byId(readAtOnce(whole).facts);
  assert.ok(expected.length >= 8);
  const points = fc.array(fc.nat(), { maxLength: 6 });
  const run = async (splits: number[], restarts: boolean[], zstd: boolean): Promise<void> => {
    await using bench = await LogBench.open();
    await bench.start();
    const plain = cut(whole, splits);
    const pieces = zstd ? await zstdPieces(plain, true) : plain;
    const name = zstd ? 'app-20261121072159-0000.zstd' : 'app-20261121072159-0000';
    for (const [i, piece] of pieces.entries()) {
      await appendFile(bench.path(`${name}.inprogress`), piece);
      await bench.scan();
      if (restarts[i] !== true) continue;
      await bench.collector.stop();
      await bench.start();
    }
    await rename(bench.path(`${name}.inprogress`), bench.path(name));
    await bench.scan();
    assert.deepEqual(await bench.facts(), expected);
    assert.equal(bench.collector.value('tollgate_event_logs_followed'), 0);
  };
  await fc.assert(
    fc.asyncProperty(points, fc.array(fc.boolean(), { maxLength: 3 }), fc.boolean(), run),
    { numRuns: 12 },
  );
});

test('containers, sights and activity stand in the journal while the log is still being written', async () => {
  await using bench = await LogBench.open();
  await bench.start();
  const whole = await sample(KILLED);
  const upTo = whole.indexOf('"Event":"SparkListenerApplicationEnd"');
  const first = whole.subarray(0, whole.lastIndexOf('\n', upTo) + 1);
  await writeFile(bench.path('app-20261121072159-0000.inprogress'), first);
  await bench.scan();
  const { facts, reader } = readAtOnce(first, false);
  assert.deepEqual(await bench.facts(), byId(facts));
  const executor = 'app-20261121072159-0000//1';
  assert.equal(await bench.collector.evidence('main', executor), reader.lastEventAt);
  assert.equal((await bench.collector.facts('container-stopped')).length, 0);
});

test('two attempts of an application are two logs, and a killed attempt has no stop of its own', async () => {
  await using bench = await LogBench.open();
  await bench.start();
  const first = await sample(AM_KILLED);
  await writeFile(bench.path('application_1795248855005_0001_1.inprogress'), first);
  await writeFile(bench.path('application_1795248855005_0001_2'), await sample(SECOND));
  await bench.scan();
  const seen = await bench.collector.facts('application-seen');
  assert.deepEqual([...new Set(seen.map(({ attempt }) => attempt))].sort(), ['1', '2']);
  const open = readAtOnce(first, false).facts;
  const stored = (await bench.facts()).filter((fact) => 'attempt' in fact && fact.attempt === '1');
  assert.deepEqual(stored, byId(open));
});

test('a rolling log is followed from part to part, compressed, until its status says complete', async () => {
  await using bench = await LogBench.open();
  await bench.start();
  const id = 'application_1795247888953_0002';
  const sampleFolder = `spark4/eventlog/eventlog_v2_${id}`;
  const whole = zstdDecompressSync(await sample(`${sampleFolder}/events_1_${id}.zstd`));
  const folder = bench.path(`eventlog_v2_${id}`);
  await mkdir(folder);
  await writeFile(join(folder, `appstatus_${id}.inprogress`), '');
  const middle = whole.indexOf('\n', Math.floor(whole.length / 2)) + 1;
  const [head = Buffer.alloc(0)] = await zstdPieces([whole.subarray(0, 5_000)], false);
  const first = zstdCompressSync(whole.subarray(0, middle));
  // An unfinished frame is read as far as it goes; then the part is there whole.
  await writeFile(join(folder, `events_1_${id}.zstd`), head);
  await bench.scan();
  assert.ok(bench.collector.value('tollgate_event_log_bytes_total') > 0);
  await rm(join(folder, `events_1_${id}.zstd`));
  await writeFile(join(folder, `events_1_${id}.zstd`), first);
  await bench.scan();
  await writeFile(join(folder, `events_2_${id}.zstd`), zstdCompressSync(whole.subarray(middle)));
  await bench.scan();
  await rename(join(folder, `appstatus_${id}.inprogress`), join(folder, `appstatus_${id}`));
  await bench.scan();
  await bench.scan(20_000);
  assert.deepEqual(await bench.facts(), byId(readAtOnce(whole).facts));
  assert.equal(bench.collector.value('tollgate_event_log_notes_total', 'missing-part'), 0);
});

test('a finished log is not read again after a restart, but a changed one is', async () => {
  await using bench = await LogBench.open();
  const whole = await sample(KILLED);
  await writeFile(bench.path('app-1'), whole);
  await bench.start();
  await bench.scan();
  const facts = await bench.facts();
  await bench.collector.stop();
  await bench.start();
  await bench.scan();
  assert.equal(bench.collector.value('tollgate_event_log_bytes_total'), 0);
  await appendFile(bench.path('app-1'), '\n');
  await bench.scan();
  assert.equal(bench.collector.value('tollgate_event_log_bytes_total'), whole.length + 1);
  assert.deepEqual(await bench.facts(), facts);
});

test('a closed log without an end gets one, inferred, once it has settled', async () => {
  await using bench = await LogBench.open({ settleMs: 5_000 });
  await bench.start();
  const whole = await sample(AM_KILLED);
  // It was copied there just now, by a clock that is ahead.
  await writeFile(bench.path('application_1795248855005_0001_1'), whole);
  await bench.scan();
  await bench.scan(10_000);
  assert.deepEqual(await bench.facts(), byId(readAtOnce(whole).facts));
  assert.ok(bench.collector.value('tollgate_event_log_notes_total', 'end-inferred') === 1);
});

test('files that are no event logs are left out, said once, and read again only when they change', async () => {
  await using bench = await LogBench.open();
  await writeFile(bench.path('notes.txt'), 'not an event log\n'.repeat(200));
  await writeFile(bench.path('noise.bin'), Buffer.alloc(100_000, 7));
  await writeFile(bench.path('.hidden'), 'x');
  await writeFile(bench.path('empty'), '');
  await bench.start();
  for (let i = 0; i < 3; i += 1) await bench.scan(20_000);
  assert.equal(bench.collector.value('tollgate_records_total', 'not-an-event-log'), 2);
  assert.equal(bench.collector.value('tollgate_event_logs_followed'), 0);
  assert.deepEqual(await bench.facts(), []);
});

test('a log that is replaced or cut short is read from its beginning', async () => {
  await using bench = await LogBench.open();
  await bench.start();
  const [one, two] = [await sample(KILLED), await sample(SECOND)];
  const path = bench.path('app.inprogress');
  await writeFile(path, one.subarray(0, 40_000));
  await bench.scan();
  await truncate(path, 0);
  await bench.scan();
  await writeFile(path, two);
  await bench.scan();
  await bench.scan();
  const ids = new Set((await bench.facts()).map(({ id }) => id));
  for (const fact of readAtOnce(two, false).facts) assert.ok(ids.has(fact.id));
});

test('logs in progress that stopped growing are put aside, and taken up when they grow', async () => {
  await using bench = await LogBench.open({ idleMs: 60_000 });
  await bench.start();
  const whole = await sample(KILLED);
  const path = bench.path('app-20261121072159-0000.inprogress');
  await writeFile(path, whole.subarray(0, 60_000));
  await bench.scan();
  assert.equal(bench.collector.value('tollgate_event_logs_followed'), 1);
  await bench.scan(61_000);
  assert.equal(bench.collector.value('tollgate_event_logs_followed'), 0);
  await appendFile(path, whole.subarray(60_000));
  await bench.scan();
  const ids = new Set((await bench.facts()).map(({ id }) => id));
  for (const fact of readAtOnce(whole, false).facts) assert.ok(ids.has(fact.id));
});

test('more logs than there is room for wait their turn, and none is left out', async () => {
  await using bench = await LogBench.open({ maxFollowedLogs: 1 });
  const logs = [await sample(KILLED), await sample(SECOND), await sample(AM_KILLED)];
  for (const [i, bytes] of logs.entries()) await writeFile(bench.path(`log-${i}`), bytes);
  await bench.start();
  for (let i = 0; i < 6; i += 1) await bench.scan(20_000);
  const expected = logs.flatMap((bytes) => readAtOnce(bytes).facts);
  assert.deepEqual(await bench.facts(), byId(expected));
});
