import assert from 'node:assert/strict';
import test from 'node:test';
import type { IngestHandler } from '../../services/collectors/core/ingest.ts';
import type { QueuedRecord, QueueHandler } from '../../services/collectors/core/queue.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Quarantine, QuarantinedRecord } from '../../shared/stores/quarantine.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A started collector, as far as every collector is the same. */
export interface StartedCollector extends AsyncDisposable, IngestHandler, QueueHandler {
  replay(records: readonly QuarantinedRecord[]): Promise<unknown>;
}

/** A collector with its real embedded stores in a folder of its own. */
export interface CollectorBench extends AsyncDisposable {
  readonly quarantine: Quarantine;
  /** Starts it on these stores; a second start after a disposal is a restart. */
  start(deps: {
    clock: Clock;
    metrics: Metrics;
    logger: typeof silentLogger;
    random: () => number;
    quarantine: Quarantine;
  }): Promise<StartedCollector>;
  /** Records in the store, each counted once. */
  stored(): Promise<number>;
}

export interface CollectorUnderTest {
  readonly name: QuarantinedRecord['collector'];
  /** The n-th record that is kept, with an identity of its own. */
  readonly good: (n: number) => string;
  /** Lines that are refused, by what is wrong with them. */
  readonly bad: Readonly<Record<string, string>>;
  readonly open: () => Promise<CollectorBench>;
}

const encode = (lines: readonly string[]): Uint8Array =>
  new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));

async function started(bench: CollectorBench, quarantine = bench.quarantine) {
  const clock = new FakeClock(Date.UTC(2026, 10, 21, 9));
  const metrics = new Metrics();
  const deps = { clock, metrics, logger: silentLogger, random: () => 0.5, quarantine };
  const collector = await bench.start(deps);
  const send = (lines: readonly string[]) =>
    collector.ingest({
      body: encode(lines),
      project: 'etl' as ProjectId,
      cluster: 'main',
      receivedAt: clock.now(),
    });
  const take = (records: readonly QueuedRecord[]) =>
    collector.take(
      {
        origin: 'kafka:topic/3',
        records,
        format: 'json',
        project: 'etl' as ProjectId,
        cluster: 'main',
        receivedAt: clock.now(),
        bytes: 1_000,
      },
      new AbortController().signal,
    );
  return { collector, clock, metrics, send, take };
}

function counted(metrics: Metrics, fate: string): number {
  let sum = 0;
  for (const [labels, value] of metrics.values('tollgate_records_total')) {
    if (labels.includes(`fate="${fate}"`)) sum += value;
  }
  return sum;
}

/** What every collector does; run on each of them. */
export function collectorSuite({ name, good, bad, open }: CollectorUnderTest): void {
  test(`${name}: records are stored when the answer says so, and counted`, async () => {
    await using bench = await open();
    const { collector, metrics, send } = await started(bench);
    const answer = await send([good(1), good(2), good(3)]);
    assert.equal(answer.stored, 3);
    assert.equal(await bench.stored(), 3);
    assert.equal(counted(metrics, 'kept'), 3);
    await collector[Symbol.asyncDispose]();
  });

  test(`${name}: the same records again change nothing, also after a restart`, async () => {
    await using bench = await open();
    const first = await started(bench);
    await first.send([good(1), good(2)]);
    await first.send([good(2), good(1), good(1)]);
    assert.equal(await bench.stored(), 2);
    await first.collector[Symbol.asyncDispose]();
    const second = await started(bench);
    await second.send([good(1), good(2), good(3)]);
    assert.equal(await bench.stored(), 3);
    await second.collector[Symbol.asyncDispose]();
  });

  test(`${name}: a refused line has a verdict and a reason, and the others are kept`, async () => {
    await using bench = await open();
    const { collector, send } = await started(bench);
    const kinds = Object.entries(bad);
    const lines = kinds.flatMap(([, line], i) => [good(i), line]);
    const answer = await send(lines);
    assert.equal(answer.stored, kinds.length);
    assert.equal(answer.dropped + answer.quarantined, kinds.length);
    assert.equal(answer.verdicts.length, kinds.length);
    answer.verdicts.forEach((verdict, i) => {
      assert.equal(verdict.line, 2 * i + 2, kinds[i]?.[0] ?? '');
      assert.match(verdict.reason, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    });
    const waiting = await bench.quarantine.list({ collector: name, limit: 100 });
    assert.equal(waiting.length, answer.quarantined);
    await collector[Symbol.asyncDispose]();
  });

  // Facts of containers name no project, so that no token of some projects may push them.
  if (name !== 'containers') {
    test(`${name}: a sender of one project can name no other, and leaves nothing behind`, async () => {
      await using bench = await open();
      const { collector, clock } = await started(bench);
      const named = (n: number, project: string): string =>
        JSON.stringify({ ...JSON.parse(good(n)), project });
      const etl = 'etl' as ProjectId;
      const answer = await collector.ingest({
        body: encode([named(1, 'etl'), named(2, 'ml'), good(3)]),
        ...{ project: etl, onlyProjects: [etl], cluster: 'main', receivedAt: clock.now() },
      });
      assert.deepEqual(answer, {
        ...{ stored: 2, duplicates: 0, dropped: 1, quarantined: 0 },
        verdicts: [{ line: 2, fate: 'dropped', reason: 'foreign-project' }],
      });
      assert.equal(await bench.stored(), 2);
      assert.deepEqual(await bench.quarantine.list({ limit: 10 }), [], 'a replay would store it');
      await collector[Symbol.asyncDispose]();
    });
  }

  test(`${name}: the same refused line twice waits once`, async () => {
    await using bench = await open();
    const { collector, send } = await started(bench);
    const line = Object.values(bad)[0] ?? '';
    const lines = [good(1), line];
    await send(lines);
    const before = (await bench.quarantine.list({ collector: name, limit: 100 })).length;
    await send(lines);
    const after = (await bench.quarantine.list({ collector: name, limit: 100 })).length;
    assert.ok(before <= 1 && after === before);
    await collector[Symbol.asyncDispose]();
  });

  test(`${name}: a quarantine that is away holds the records back, and loses none`, async () => {
    await using bench = await open();
    let away = 2;
    const flaky: Quarantine = {
      put: (records) => {
        away -= 1;
        if (away >= 0) throw new AppError('STORE_UNAVAILABLE', 'locked');
        return bench.quarantine.put(records);
      },
      list: (filter) => bench.quarantine.list(filter),
      count: () => bench.quarantine.count(),
      remove: (ids) => bench.quarantine.remove(ids),
      [Symbol.asyncDispose]: async () => {},
    };
    const { collector, clock, send } = await started(bench, flaky);
    const quarantinedLine = Object.values(bad)[0] ?? '';
    let answered = false;
    const answer = send([good(1), quarantinedLine]).finally(() => {
      answered = true;
    });
    for (let i = 0; i < 50 && !answered; i += 1) await clock.advance(11_000);
    assert.equal((await answer).stored, 1);
    assert.equal(await bench.stored(), 1);
    await collector[Symbol.asyncDispose]();
  });

  test(`${name}: hostile bytes, an empty body and a last line without its end are survived`, async () => {
    await using bench = await open();
    const { collector, clock } = await started(bench);
    const send = (body: Uint8Array) =>
      collector.ingest({
        body,
        project: 'etl' as ProjectId,
        cluster: 'main',
        receivedAt: clock.now(),
      });
    assert.equal((await send(new Uint8Array())).stored, 0);
    const noise = Buffer.from(Array.from({ length: 4_096 }, (_, i) => (i * 167 + 13) % 256));
    await send(noise);
    await send(new TextEncoder().encode('{"__proto__":{"polluted":true}}\n[[[[\n\n"\n'));
    await send(Buffer.from('['.repeat(100_000)));
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
    const last = await send(new TextEncoder().encode(`${good(1)}\n${good(2)}`));
    assert.equal(last.stored, 2);
    await collector[Symbol.asyncDispose]();
  });

  test(`${name}: a queue's messages that come again change nothing, also after a restart`, async () => {
    await using bench = await open();
    const first = await started(bench);
    const messages = [1, 2, 3].map((n) => ({ id: `kafka:topic/3#${n}`, text: good(n) }));
    await first.take(messages.slice(0, 2));
    await first.take(messages);
    assert.equal(await bench.stored(), 3);
    await first.collector[Symbol.asyncDispose]();
    const second = await started(bench);
    await second.take(messages);
    assert.equal(await bench.stored(), 3);
    await second.collector[Symbol.asyncDispose]();
  });

  test(`${name}: a queue's refused messages wait once, known by where they came from`, async () => {
    await using bench = await open();
    const { collector, metrics, take } = await started(bench);
    const line = Object.values(bad)[0] ?? '';
    const messages: QueuedRecord[] = [
      { id: 'kafka:topic/3#1', text: good(1) },
      { id: 'kafka:topic/3#2', text: 'ab', refused: { fate: 'quarantined', reason: 'not-utf8' } },
      { id: 'kafka:topic/3#3', text: '', refused: { fate: 'dropped', reason: 'tombstone' } },
      { id: 'kafka:topic/3#4', text: line },
    ];
    await take(messages);
    const once = await bench.quarantine.list({ collector: name, limit: 100 });
    await take(messages);
    const twice = await bench.quarantine.list({ collector: name, limit: 100 });
    assert.deepEqual(twice, once);
    const refused = once.find(({ reason }) => reason === 'not-utf8');
    assert.match(`${refused?.id} ${refused?.source}`, /kafka:topic\/3#2/);
    assert.equal(refused?.raw, 'ab');
    assert.ok(once.length <= 2);
    assert.ok(counted(metrics, 'dropped') >= 2);
    assert.equal(await bench.stored(), 1);
    await collector[Symbol.asyncDispose]();
  });

  test(`${name}: a queue's refused message that can be read meanwhile is stored by a replay`, async () => {
    await using bench = await open();
    const { collector, take } = await started(bench);
    const refused = { fate: 'quarantined', reason: 'not-utf8' } as const;
    await take([{ id: 'kafka:topic/3#1', text: good(5), refused }]);
    const waiting = await bench.quarantine.list({ collector: name, limit: 10 });
    assert.equal(waiting.length, 1);
    // In the project and cluster that held for the message.
    await collector.replay(waiting);
    assert.equal(await bench.stored(), 1);
    assert.deepEqual(await bench.quarantine.list({ collector: name, limit: 10 }), []);
    await collector[Symbol.asyncDispose]();
  });
}
