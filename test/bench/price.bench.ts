import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '../../services/cli/table.ts';
import { KnownClusters } from '../../services/metering/ledger/known-clusters.ts';
import { PriceSetter } from '../../services/metering/ledger/price-setter.ts';
import type { LoadFact } from '../../shared/contracts/container-fact.ts';
import { DEFAULT_PRICE_RULE } from '../../shared/price/price-rule.ts';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { loadFact, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import { HopsPrice, LadderPrice, type PriceRival } from '../support/price-rivals.ts';
import { demandTrace, replayLoad, type TrialResult, tryPrice } from '../support/price-trial.ts';

const SEED = Number(process.env['TOLLGATE_BENCH_PRICE_SEED'] ?? 20_261_121);
const SEEDS = 6;
/** Load facts, one JSON object a line, of one cluster and in order of time. */
const TRACE = process.env['TOLLGATE_BENCH_PRICE_TRACE'];
const POOLS = Number(process.env['TOLLGATE_BENCH_PRICE_POOLS'] ?? 200);
/** As often as the meter asks each pool whether a minute is over. */
const LOOKS_A_MINUTE = 30;

type Print = (line: string) => void;

const RIVALS: readonly (() => PriceRival)[] = [
  () => new HopsPrice(1),
  () => new HopsPrice(2),
  () => new HopsPrice(10),
  () => new LadderPrice('no surge', { ...DEFAULT_PRICE_RULE, slope: 0 }),
  () => new LadderPrice('Tollgate', DEFAULT_PRICE_RULE),
  () => new LadderPrice('Tollgate, floor 0.80 X', { ...DEFAULT_PRICE_RULE, floor: 800 }),
];

function meanOf(results: readonly TrialResult[]): string[] {
  const mean = (member: Exclude<keyof TrialResult, 'name'>): number =>
    results.reduce((sum, result) => sum + result[member], 0) / results.length;
  const worst = Math.max(...results.map(({ worstMove }) => worstMove));
  const most = Math.max(...results.map(({ maxPrice }) => maxPrice));
  return [
    results[0]?.name ?? '',
    mean('meanPrice').toFixed(2),
    most.toFixed(2),
    mean('changesPerHour').toFixed(1),
    mean('reversalsPerHour').toFixed(1),
    `×${worst.toFixed(2)}`,
    mean('meanLoad').toFixed(2),
    mean('p99Load').toFixed(2),
    `${(mean('overCapacity') * 100).toFixed(1)} %`,
  ];
}

const COLUMNS = [
  'rule',
  'mean price',
  'max',
  'changes/h',
  'reversals/h',
  'worst 10-min move',
  'mean load',
  'p99 load',
  'time over capacity',
];

function printResults(print: Print, rows: readonly (readonly string[])[]): void {
  const columns = COLUMNS.map((title, i) => ({
    title,
    align: i === 0 ? ('left' as const) : ('right' as const),
  }));
  print(table(columns, rows));
}

function compareOnDemand(print: Print): void {
  const seeds = Array.from({ length: SEEDS }, (_, i) => SEED + i);
  print(`48 h of generated demand, ${SEEDS} seeds from ${SEED}; users answer to the price`);
  const traces = seeds.map((seed) => demandTrace(seed));
  printResults(
    print,
    RIVALS.map((rival) => meanOf(traces.map((trace) => tryPrice(rival(), trace)))),
  );
}

function compareOnFile(print: Print, file: string): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  const facts = lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line));
  print(`${facts.length} recorded loads of ${file}; to them the price made no difference`);
  printResults(
    print,
    RIVALS.map((rival) => meanOf([replayLoad(rival(), facts as LoadFact[])])),
  );
}

/** Load of a minute of a pool's cluster, two of its projects waiting. */
function loadsOf(pool: number, minute: number): LoadFact[] {
  const cluster = `cluster-${pool}`;
  return [0, 10, 20, 30, 40, 50].map((second) => {
    const at = T0 + minute * MINUTE_MS + second * 1_000 + pool;
    const share = 0.5 + ((minute * 7 + second + pool * 13) % 90) / 90;
    const resources = { millicores: 5_000, memoryMib: 0, gpus: 0 };
    const pending = { millicores: 10_000, memoryMib: 0, gpus: 0 };
    const pendingBy = ['etl', 'ads'].map((id) => ({ project: id as ProjectId, resources }));
    return loadFact(at, share, { cluster, pending, pendingBy });
  });
}

/** CPU time that the prices of many pools take in an hour, beside what stores their load. */
async function benchPools(print: Print): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-price-'));
  try {
    await using ledger = await openLedger({ file: join(folder, 'ledger.db') });
    const { journalReader: journal, priceWriter: prices, priceFreezes } = ledger;
    const known = new KnownClusters(journal, (cluster) => cluster.replace('cluster', 'pool'));
    const setters = Array.from({ length: POOLS }, (_, pool) => {
      const id = `pool-${pool}`;
      const clusters = (at: number) => known.ofPool(id, at);
      const rule = DEFAULT_PRICE_RULE;
      return new PriceSetter({ journal, prices, priceFreezes }, { id, clusters, rule });
    });
    let usedUs = 0;
    let moves = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      const facts = setters.flatMap((_, pool) => loadsOf(pool, minute));
      await ledger.journalWriter.record(journalBatch({ facts }), T0);
      const before = process.cpuUsage();
      for (let look = 0; look < LOOKS_A_MINUTE; look += 1) {
        const now = T0 + (minute + 1) * MINUTE_MS + (look * MINUTE_MS) / LOOKS_A_MINUTE;
        for (const setter of setters) if (await setter.evaluate(now)) moves += 1;
      }
      const { user, system } = process.cpuUsage(before);
      usedUs += user + system;
    }
    const share = usedUs / 1_000 / HOUR_MS;
    print(
      `${POOLS} pools for an hour, load each 10 s, thought about each minute, SQLite: ` +
        `${(usedUs / 1e6).toFixed(1)} s of CPU = ${(share * 100).toFixed(2)} % of a core; ${moves} moves`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function run(print: Print): Promise<void> {
  compareOnDemand(print);
  if (TRACE !== undefined) compareOnFile(print, TRACE);
  await benchPools(print);
}
