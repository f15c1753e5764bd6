import { join } from 'node:path';
import {
  readApplicationExplanation,
  readChargeExplanation,
} from '../../services/api/read-explanation.ts';
import {
  outcomePolicyOf,
  poolOf,
  tariffBookOf,
  witnessRuleOf,
} from '../../services/metering/config.ts';
import { startReplay } from '../../services/metering/replay/start.ts';
import type { RestReplayResult } from '../../shared/contracts/rest-replay.ts';
import { must } from '../../shared/errors/assert.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { DAY_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { meteringOptions } from '../support/metering-run.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { MONTH_END, MONTH_START, writeMonth } from './support/month-ledger.ts';

const INTERVALS = Number(process.env['TOLLGATE_BENCH_REPLAY_INTERVALS'] ?? 1_000_000);
/** Keeps the ledger for another run, and lets one that was stopped go on. */
const FOLDER = process.env['TOLLGATE_BENCH_REPLAY_FOLDER'];
const EXPLAINED = 500;

const CONFIG = meteringOptions();

async function replay(
  ledger: Ledger,
  tariff: Readonly<Record<string, unknown>>,
): Promise<{
  result: RestReplayResult;
  seconds: number;
  cpuSeconds: number;
  lines: number;
  longestMs: number;
}> {
  const stores = {
    ...{ journal: ledger.journalReader, prices: ledger.priceWriter, replay: ledger.replay },
    quotes: ledger.quotes,
    ...{ ledger: ledger.ledgerReader, grants: ledger.grants },
  };
  const deps = { config: CONFIG, stores, clock: new FakeClock(MONTH_END + DAY_MS) };
  const request = { start: MONTH_START, end: MONTH_END, project: undefined, tariff };
  const cpu = process.cpuUsage();
  const begin = systemClock.elapsed();
  let result: RestReplayResult | undefined;
  let [lines, longestMs, last] = [0, 0, begin];
  for await (const line of startReplay(deps, request)) {
    const now = systemClock.elapsed();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    lines += 1;
    if (line.type === 'result') result = line;
  }
  const seconds = (systemClock.elapsed() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  const told = must(result, 'a replay ends with its result');
  return { result: told, seconds, cpuSeconds, lines, longestMs };
}

async function benchReplay(ledger: Ledger, print: (line: string) => void): Promise<void> {
  for (const [name, tariff] of [
    ['the same rates', { rateCard: { id: 'same' } }],
    ['other rates', { rateCard: { coreSecond: '0.0007', gibSecond: '0.0003' } }],
    ['another price rule', { price: { slope: 4 } }],
  ] as const) {
    const { result, seconds, cpuSeconds, lines, longestMs } = await replay(ledger, tariff);
    const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
    print(
      `replay, ${name}: ${seconds.toFixed(1)} s (CPU ${cpuSeconds.toFixed(1)} s) for ${result.intervals.toLocaleString('en-US')} intervals, ` +
        `${result.lines.toLocaleString('en-US')} lines; difference ${result.total.difference}; ` +
        `${lines} lines of progress, longest wait ${Math.round(longestMs)} ms; RSS ${memory} MiB`,
    );
  }
}

function percentile(values: readonly number[], share: number): string {
  const at = Math.min(values.length - 1, Math.floor(values.length * share));
  return `${(values.toSorted((a, b) => a - b)[at] ?? 0).toFixed(2)} ms`;
}

async function benchExplain(ledger: Ledger, print: (line: string) => void): Promise<void> {
  const deps = {
    ...{ ledger: ledger.ledgerReader, journal: ledger.journalReader, prices: ledger.priceWriter },
    ...{ explanations: ledger.explanations, quotes: ledger.quotes },
    metering: {
      ...{ tariff: tariffBookOf(CONFIG), poolOf: poolOf(CONFIG.pools), leaseMs: CONFIG.leaseMs },
      ...{ witnessRule: witnessRuleOf(CONFIG), outcomePolicy: outcomePolicyOf(CONFIG) },
    },
    clock: new FakeClock(MONTH_END + DAY_MS),
  };
  const times = { charge: [] as number[], application: [] as number[] };
  let equal = 0;
  for (let n = 0; n < EXPLAINED; n += 1) {
    const project = `p${n % 40}` as ProjectId;
    const from = MONTH_START + Math.floor((n / EXPLAINED) * (MONTH_END - MONTH_START - DAY_MS));
    const [row] = await ledger.ledgerReader.charges(
      project,
      { from, until: MONTH_END },
      { limit: 1 },
    );
    if (row === undefined) continue;
    const { id } = row;
    const begin = systemClock.elapsed();
    const charge = must(await ledger.explanations.charge(project, id), 'a charge');
    const told = await readChargeExplanation(deps, project, charge);
    const middle = systemClock.elapsed();
    const page = { limit: 10 };
    const whole = await readApplicationExplanation(deps, project, charge, page);
    times.charge.push(middle - begin);
    times.application.push(systemClock.elapsed() - middle);
    if (told?.verdict.equal && whole?.verdict.equal) equal += 1;
  }
  for (const [name, values] of Object.entries(times)) {
    print(
      `explain, ${name}${name === 'application' ? ' (10 containers)' : ''}: p50 ${percentile(values, 0.5)}, ` +
        `p99 ${percentile(values, 0.99)}, max ${percentile(values, 1)}; ${equal} of ${values.length} equal to the ledger`,
    );
  }
}

/** A month replayed under other rates and another price rule, and charges of it explained. */
export async function run(print: (line: string) => void): Promise<void> {
  await using own = FOLDER === undefined ? await temporaryFolder() : undefined;
  const file = join(FOLDER ?? own?.path ?? '', `month-${INTERVALS}.db`);
  const begin = systemClock.elapsed();
  const charges = await writeMonth(file, INTERVALS);
  const seconds = (systemClock.elapsed() - begin) / 1_000;
  print(
    `${INTERVALS.toLocaleString('en-US')} containers, ${charges.toLocaleString('en-US')} charges, ` +
      `a month of load; written in ${seconds.toFixed(0)} s`,
  );
  await using ledger = await openLedger({ file, readOnly: true });
  await benchExplain(ledger, print);
  await benchReplay(ledger, print);
}
