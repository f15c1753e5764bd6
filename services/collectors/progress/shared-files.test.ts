import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PointBlock, Series } from '../../../shared/contracts/metric-point.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { fencedCheckpoints } from '../../../test/support/fenced-checkpoints.ts';
import { aBatch, MemoryQuarantine, NOW } from '../../../test/support/progress-bench.ts';
import { progressConfig } from './config.ts';
import { startProgress } from './start.ts';

const LEASE_MS = 3_000;
const QUERIES = 6;

/** What a collector has counted under such labels. */
function count(metrics: Metrics | undefined, label: string): number {
  const values = metrics?.snapshot().flatMap((family) => family.values) ?? [];
  return values.filter(([labels]) => labels.includes(label)).reduce((sum, [, n]) => sum + n, 0);
}

/** Collectors that see one folder of progress files, and what they store. */
function sharing() {
  const folder = mkdtempSync(join(tmpdir(), 'progress-shared-'));
  const clock = new FakeClock(NOW);
  const { checkpoints, leases } = fencedCheckpoints(clock);
  /** Verdicts and batches by query, in the order of their storing. */
  const batches = new Map<string, number[]>();
  const store = (series: readonly Series[], block: PointBlock): void => {
    for (let i = 0; i < block.length; i += 1) {
      const one = series[block.series[i] ?? 0];
      if (one?.field !== 'batch_id') continue;
      const query = one.tags['query'] ?? '';
      batches.set(query, [...(batches.get(query) ?? []), block.value[i] ?? -1]);
    }
  };
  const writer = (): MetricWriter => {
    const series: Series[] = [];
    return {
      declare: (one) => series.push(one) - 1,
      release: () => undefined,
      checkpoints: (prefix) => checkpoints.checkpoints(prefix),
      write: async (block, positions, fences) => {
        await checkpoints.save([], fences);
        store(series, block);
        await checkpoints.save(positions, fences);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  };
  const metrics: Metrics[] = [];
  const start = (holder: string) => {
    const own = new Metrics();
    metrics.push(own);
    const files = [{ paths: [`${folder}/*/progress.jsonl`], cluster: 'yarn', shared: true }];
    return startProgress({
      config: progressConfig.parse({ files, sharedLeaseMs: LEASE_MS }),
      ...{ writer: writer(), clock, metrics: own, leases: { store: leases, holder } },
      quarantine: new MemoryQuarantine(),
      random: () => 0.5,
      logger: silentLogger,
    });
  };
  const path = (query: number): string => join(folder, `q${query}`, 'progress.jsonl');
  const append = (batch: number): void => {
    for (let query = 0; query < QUERIES; query += 1) {
      mkdirSync(join(folder, `q${query}`), { recursive: true });
      const record = { ...aBatch(batch, batch, batch), id: `query-${query}` };
      appendFileSync(path(query), `${JSON.stringify(record)}\n`);
    }
  };
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50);
      for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const rotate = (): void => {
    for (let query = 0; query < QUERIES; query += 1) renameSync(path(query), `${path(query)}.1`);
  };
  const close = () => rmSync(folder, { recursive: true });
  return { checkpoints, batches, metrics, start, append, rotate, pass, close };
}

test('progress files go from one collector to another with what is known of their queries', async () => {
  const at = sharing();
  for (const batch of [0, 1, 2]) at.append(batch);
  const a = await at.start('a');
  await at.pass(LEASE_MS);
  const b = await at.start('b');
  await at.pass(2 * LEASE_MS);
  at.append(3);
  at.rotate();
  at.append(4);
  await at.pass(2 * LEASE_MS);
  const stopping = a[Symbol.asyncDispose]();
  await at.pass(LEASE_MS);
  await stopping;
  // Again, as another copy of the listener would say it.
  at.append(4);
  at.append(5);
  await at.pass(2 * LEASE_MS);
  assert.equal(at.batches.size, QUERIES);
  // What comes again is written again, to the same point.
  for (const [query, stored] of at.batches) assert.deepEqual(stored, [0, 1, 2, 3, 4, 4, 5], query);
  const states = await at.checkpoints.checkpoints('~/progress:query:');
  assert.equal(states.length, QUERIES);
  const [, ofB] = at.metrics;
  assert.equal(count(ofB, 'reason="duplicate"'), QUERIES, 'it knew what the other one had stored');
  const kept = at.metrics.map((one) => count(one, 'fate="kept"'));
  assert.equal(
    kept.reduce((sum, one) => sum + one, 0),
    6 * QUERIES,
    'each record once',
  );
  assert.ok(kept.every((records) => records > 0));
  const ending = b[Symbol.asyncDispose]();
  await at.pass(LEASE_MS);
  await ending;
  at.close();
});

test('files that no other process could share are a problem of the configuration', async () => {
  const files = [{ paths: ['/x/*.jsonl'] }, { paths: ['/y/*.jsonl'], shared: true }];
  const at = sharing();
  await assert.rejects(
    startProgress({
      config: progressConfig.parse({ files }),
      writer: {
        declare: () => 0,
        release: () => undefined,
        checkpoints: async () => [],
        write: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      },
      clock: new FakeClock(NOW),
      metrics: new Metrics(),
      quarantine: new MemoryQuarantine(),
      random: () => 0.5,
      logger: silentLogger,
    }),
    {
      code: 'CONFIG_INVALID',
      message: /^progress\.files\[1\]\.shared: .*stores\.ledger and stores\.metrics.*set shared to/,
    },
  );
  at.close();
});
