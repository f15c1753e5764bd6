import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SignalConfig, signalConfig } from '../../services/alerter/rules/signal-config.ts';
import { openSignalReader } from '../../services/alerter/signals/open-signal-reader.ts';
import type { Sample } from '../../services/alerter/signals/signal.ts';
import type { SignalDeps } from '../../services/alerter/signals/signal-deps.ts';
import type { JournalFact } from '../../shared/contracts/container-fact.ts';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import type { JournalBatch } from '../../shared/stores/journal.ts';
import { openLogReader } from '../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { openMetricReader } from '../../shared/stores/sql/metric-reader.ts';
import { openMetricWriter } from '../../shared/stores/sql/metric-writer.ts';
import {
  type AlertStores,
  openSqliteAlertStores,
} from '../../shared/stores/sql/open-alert-stores.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { SqliteQuarantine } from '../../shared/stores/sql/quarantine-store.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { logRecord } from '../contracts/log-store-suite.ts';
import { journalBatch } from './journal-batch.ts';
import { settlerOn } from './settle-facts.ts';
import { type Point, writePoints } from './write-points.ts';

/** Every store embedded, written through its real writer, and the signals that read them. */
export interface SignalBench extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly alerts: AlertStores;
  readonly quarantine: SqliteQuarantine;
  /** What the clock says; moved by the test. */
  now: Instant;
  /** Journals facts and settles them, now. */
  tell(facts: readonly JournalFact[], more?: Partial<JournalBatch>): Promise<void>;
  /** Settles what is due, now. */
  settle(): Promise<void>;
  points(points: readonly Point[]): Promise<void>;
  lines(lines: readonly Partial<LogRecord>[]): Promise<void>;
  /** Reads a signal as a rule writes it; undefined `at` is now. */
  read(written: object, at?: Instant): ReturnType<ReturnType<typeof openSignalReader>['read']>;
  /** The samples of an answer. @throws when it failed */
  samples(written: object, at?: Instant): Promise<readonly Sample[]>;
}

type Given = Partial<
  Pick<SignalDeps, 'clusters' | 'pools' | 'targets' | 'tollgate' | 'creditsPerHour'>
>;

const NOBODY: SignalDeps['tollgate'] = {
  stores: async () => [],
  sources: async () => [],
  evaluation: async () => undefined,
};

export async function openSignalBench(start: Instant, given: Given = {}): Promise<SignalBench> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'signals-'));
  resources.defer(() => rm(folder, { recursive: true }));
  let now = start;
  const clock: Clock = { ...systemClock, now: () => now };
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  const ledger = resources.use(await openLedger({ file: ':memory:' }));
  const alerts = resources.use(openSqliteAlertStores({ file: ':memory:', clock }));
  const quarantine = resources.use(new SqliteQuarantine({ file: ':memory:' }));
  const metricFolder = { folder: join(folder, 'metrics') };
  const metrics = resources.use(await openMetricReader(metricFolder));
  const metricWriter = resources.use(await openMetricWriter({ ...metricFolder, clock, limits }));
  const logFolder = { folder: join(folder, 'logs') };
  const logs = resources.use(await openLogReader(logFolder));
  const logWriter = resources.use(await openLogWriter({ ...logFolder, clock, limits }));
  const deps: SignalDeps = {
    ...{ metrics, logs, quarantine, clock },
    ...{ ledger: ledger.ledgerReader, spending: ledger.spending, grants: ledger.grants },
    ...{ workloads: ledger.workloads, applications: ledger.applicationWatch },
    ...{ journal: ledger.journalReader, prices: ledger.priceWriter, outbox: alerts.outbox },
    ...{ clusters: ['yarn-1'], pools: ['cpu'], targets: new Map(), tollgate: NOBODY },
    creditsPerHour: async () => undefined,
    ...given,
  };
  const settler = settlerOn(ledger);
  const readers = new Map<string, ReturnType<typeof openSignalReader>>();
  const readerOf = (written: object) => {
    const key = JSON.stringify(written);
    const config: SignalConfig = signalConfig.parse(written);
    const reader = readers.get(key) ?? openSignalReader(config, deps);
    readers.set(key, reader);
    return reader;
  };
  const open = resources.move();
  const bench: SignalBench = {
    ...{ ledger, alerts, quarantine },
    get now() {
      return now;
    },
    set now(at) {
      now = at;
    },
    async tell(facts, more = {}) {
      await ledger.journalWriter.record(journalBatch({ facts, ...more }), now);
      await bench.settle();
    },
    async settle() {
      for (let caughtUp = false; !caughtUp; ) caughtUp = (await settler.settle(now, 0)).caughtUp;
    },
    points: (points) => writePoints(metricWriter, points),
    async lines(lines) {
      await logWriter.write({ records: lines.map((line) => logRecord(line)), checkpoints: [] });
    },
    read: (written, at = now) => readerOf(written).read(at, 1_000, new AbortController().signal),
    async samples(written, at = now) {
      const reading = await bench.read(written, at);
      if (reading.outcome === 'failed') throw new Error(reading.why);
      return reading.samples;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
  return bench;
}

/** What a test compares of samples: labels as they are named, and the value. */
export function valuesBy(
  samples: readonly Sample[],
  ...labels: readonly string[]
): Record<string, number | undefined> {
  return Object.fromEntries(
    samples.map((sample) => [
      labels.map((label) => sample.labels[label] ?? '').join('/'),
      sample.value,
    ]),
  );
}
