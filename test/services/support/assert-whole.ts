import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Charge } from '../../../shared/contracts/charge.ts';
import { postgresConfig } from '../../../shared/stores/sql/config.ts';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { openPostgresLedger } from '../../../shared/stores/sql/open-postgres-ledger.ts';
import { allCharges } from '../../support/metering-run.ts';
import { RunningTollgate } from '../../support/running-tollgate.ts';
import type { StoreNames } from './distributed-stores.ts';
import { text } from './metered-platform.ts';
import { RETRY } from './postgres-schema.ts';
import { PROJECT, type Sent, type SteadyLoad } from './steady-load.ts';
import { countOf } from './stored-counts.ts';

/** The stated limit is 30 s. */
const WITHIN_MS = 90_000;
/** What every executor of the load uses, in ms. */
const EXECUTOR_MS = 1_000_000n;
const DRIVER_MS = 3_600_000n;

interface LogPage {
  readonly logs: { readonly message: string }[];
  readonly cursor: string | null;
}

/** How often each numbered message is answered; only those that aren't there once. */
async function wrongMessages(serve: RunningTollgate, { lines, pushedLogs }: Sent) {
  const counts = new Map<string, number>();
  for (let n = 0; n < lines; n += 1) counts.set(`unique${n}n`, 0);
  for (let n = 0; n < pushedLogs; n += 1) counts.set(`pushed${n}p`, 0);
  const base = `/v1/projects/${PROJECT}/logs?from=-2d&until=now&limit=1000`;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: LogPage = await serve.get(`${base}${more}`);
    for (const { message } of page.logs) {
      const key = /unique\d+n|pushed\d+p/.exec(message)?.[0] ?? message;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    cursor = page.cursor;
  }
  return [...counts].filter(([, count]) => count !== 1);
}

/** Values of a series by number: each is its own number. */
async function assertNumbered(
  serve: RunningTollgate,
  { measurement, field }: { readonly measurement: string; readonly field: string },
  count: number,
): Promise<void> {
  const path = `/v1/projects/${PROJECT}/metrics?measurement=${measurement}&field=${field}`;
  const { series } = await serve.get<{ series: { points: [number, number][] }[] }>(
    `${path}&step=0&from=-8h`,
  );
  assert.deepEqual(
    series[0]?.points.map(([, value]) => value),
    Array.from({ length: count }, (_, n) => n),
  );
}

/** Without the time of storing, which is of the run. */
const rowsOf = (charges: readonly Charge[]): string =>
  text(charges.map(({ storedAt: _, ...charge }) => charge));

const containerMs = (charges: readonly Charge[]): bigint =>
  charges.reduce((sum, { quantity }) => sum + quantity.containerMs, 0n);

/** The charges that an embedded Tollgate makes of the same event logs when nothing goes wrong. */
async function undisturbedCharges(load: SteadyLoad, expectedMs: bigint): Promise<Charge[]> {
  const folder = await mkdtemp(join(load.folder, 'undisturbed-'));
  {
    const { containers, metering } = load.config;
    const config = { containers, metering, metrics: { graphite: [] } };
    await using quiet = await RunningTollgate.start(folder, config);
    await quiet.until(
      async () => (await chargedMs(quiet)) === expectedMs,
      (done) => done,
      WITHIN_MS,
    );
    assert.equal(await quiet.stop(), 0);
  }
  await using ledger = await openLedger({ file: join(folder, 'data', 'ledger.db') });
  return await allCharges(ledger);
}

/** As the API answers. */
async function chargedMs(tollgate: RunningTollgate): Promise<bigint> {
  const path = `/v1/projects/${PROJECT}/charges?from=-2d&until=now&limit=5000`;
  const { charges } = await tollgate.get<{ charges: { containerMs: string }[] }>(path);
  return charges.reduce((sum, charge) => sum + BigInt(charge.containerMs), 0n);
}

/**
 * Everything that was sent lies in the stores once, and is charged as if nothing had happened.
 *
 * @param stores past whatever disturbs the roles
 */
export async function assertWhole(
  load: SteadyLoad,
  sent: Sent,
  { serve, stores }: { readonly serve: RunningTollgate; readonly stores: StoreNames },
): Promise<void> {
  const expectedMs = BigInt(sent.executors) * EXECUTOR_MS + DRIVER_MS;
  const comesTo = (what: keyof typeof countOf, count: number): Promise<number> =>
    serve.until(
      () => countOf[what](stores),
      (now) => now >= count,
      WITHIN_MS,
    );
  const logs = sent.lines + sent.pushedLogs;
  assert.equal(await comesTo('logs', logs), logs, 'log lines');
  assert.equal(await comesTo('batches', sent.batches), sent.batches, 'batches');
  assert.equal(await comesTo('points', sent.points), sent.points, 'points');
  await serve.until(
    () => chargedMs(serve),
    (ms) => ms >= expectedMs,
    WITHIN_MS,
  );
  assert.deepEqual(await wrongMessages(serve, sent), []);
  await assertNumbered(serve, { measurement: 'streaming_query', field: 'batch_id' }, sent.batches);
  await assertNumbered(serve, { measurement: 'executor', field: 'runTime.count' }, sent.points);
  const config = postgresConfig.parse(stores.ledger);
  await using ledger = await openPostgresLedger(config, RETRY);
  const charges = await allCharges(ledger);
  assert.equal(containerMs(charges), expectedMs);
  assert.equal(rowsOf(charges), rowsOf(await undisturbedCharges(load, expectedMs)));
  assert.deepEqual((await serve.get<{ counts: object[] }>('/v1/quarantine')).counts, []);
}
