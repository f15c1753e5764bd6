import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readChargeExplanation } from '../../services/api/read-explanation.ts';
import { outcomePolicyOf, tariffBookOf, witnessRuleOf } from '../../services/metering/config.ts';
import type { ContainerFact, Evidence } from '../../shared/contracts/container-fact.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { must } from '../../shared/errors/assert.ts';
import type { Settlement } from '../../shared/stores/ledger-writer.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/values/instant.ts';
import { formatCredits, NANOCREDITS_PER_CREDIT } from '../../shared/values/money.ts';
import { applicationFact, containerFact, T0 } from '../support/fact-builders.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { HopsMeter } from '../support/hops-meter.ts';
import { journalBatch } from '../support/journal-batch.ts';
import { ETL } from '../support/ledger-builders.ts';
import { allCharges, meteringOptions } from '../support/metering-run.ts';
import { secondsOracle as oracle } from '../support/seconds-oracle.ts';
import { settlerOn } from '../support/settle-facts.ts';

/**
 * The eleven defects of Hops' meter: what its arithmetic comes to, what is right by an oracle that
 * knows only the truth, and what the real settler charges. One credit for a core and second on both
 * sides, so that the numbers compare; a container has one core, one GiB.
 */
const CONFIG = meteringOptions({
  rateCard: { id: 'hops', coreSecond: '1', gibSecond: '0', gpuSecond: '0' },
});
const ONE_CORE = { millicores: 1_000, memoryMib: 1_024, gpus: 0 };
const TICK_MS = 10 * SECOND_MS;

interface Row {
  readonly defect: string;
  readonly hops: string;
  readonly right: string;
  readonly ours: string;
}
const TABLE: Row[] = [];

const hopsContainer = (id: string, gpus = 0) => ({ id, vcores: 1, memoryMib: 1_024, gpus });

const life = (from: number, until: number, more: Partial<ContainerFact> = {}): ContainerFact[] => [
  containerFact('container-started', from, { resources: ONE_CORE, ...more }),
  containerFact('container-stopped', until, more),
];

async function openEtl(): Promise<Ledger> {
  const ledger = await openLedger({ file: ':memory:' });
  const facts = [applicationFact('application-seen', T0 - HOUR_MS)];
  await ledger.journalWriter.record(journalBatch({ facts }), T0 - HOUR_MS);
  return ledger;
}

async function settle(ledger: Ledger, now: number, config = CONFIG): Promise<void> {
  // A new settler each time: the meter keeps nothing between settlements.
  const settler = settlerOn(ledger, config);
  for (let done = false; !done; ) done = (await settler.settle(now, 0)).caughtUp;
}

/** The real settler, with something that happens before each of its transactions. */
function settlerBefore(ledger: Ledger, happens: (settlement: Settlement) => void) {
  const ledgerWriter = new Proxy(ledger.ledgerWriter, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: readonly unknown[]) => unknown;
      return async (...args: readonly unknown[]) => {
        if (name === 'settle') happens(args[0] as Settlement);
        return method.apply(target, [...args]);
      };
    },
  });
  return settlerOn({ ...ledger, ledgerWriter }, CONFIG);
}

async function tell(
  ledger: Ledger,
  now: number,
  facts: readonly ContainerFact[],
  evidence: readonly Evidence[] = [],
): Promise<void> {
  await ledger.journalWriter.record(journalBatch({ facts, evidence }), now);
}

async function charged(ledger: Ledger): Promise<bigint> {
  return (await allCharges(ledger)).reduce((sum, { amount }) => sum + amount, 0n);
}

function record(defect: string, hops: string | number, right: bigint, ours: bigint): void {
  assert.equal(ours, right, defect);
  TABLE.push({
    defect,
    hops: typeof hops === 'number' ? hops.toLocaleString('en-US') : hops,
    right: formatCredits(right),
    ours: formatCredits(ours),
  });
}

test('1. a container below the minimum run time costs its time, neither nothing nor a fortune', async () => {
  const [from, until] = [T0, T0 + 4 * SECOND_MS];
  const hops = [0, 1].map((gpus) => {
    const meter = new HopsMeter();
    meter.started(hopsContainer('c1', gpus), from);
    meter.finished('c1', until);
    return meter.total;
  });
  assert.equal(hops[0], 0);
  assert.ok((hops[1] ?? 0) < -1_700_000_000, 'a GPU earns the project 1.7 billion credits');
  await using ledger = await openEtl();
  const resources = { ...ONE_CORE, gpus: 1 };
  await tell(ledger, until, life(from, until, { resources }));
  await settle(ledger, until);
  const told = `0 (CPU), ${hops[1]?.toLocaleString('en-US')} (GPU)`;
  record('1 minimum run time, 4 s', told, oracle([{ from, until }]), await charged(ledger));
});

test('2. a failover bills nothing twice, and an outage not at all', async () => {
  const [from, failover, until] = [T0, T0 + 1_800 * SECOND_MS, T0 + 3_600 * SECOND_MS];
  const ended = T0 + 1_810 * SECOND_MS;
  const back = T0 + 2_400 * SECOND_MS;
  const hops = new HopsMeter();
  hops.started(hopsContainer('c1'), from);
  hops.started(hopsContainer('c2'), from);
  for (let now = from + TICK_MS; now <= failover; now += TICK_MS) hops.tick(now);
  hops.failover();
  // c2 ended during the outage: it ends for the new Resource Manager when that recovers it.
  hops.started(hopsContainer('c1'), from);
  hops.started(hopsContainer('c2'), from);
  hops.finished('c2', back);
  for (let now = back; now < until; now += TICK_MS) hops.tick(now);
  hops.finished('c1', until);
  assert.equal(hops.total, 1_800 + 3_600 + 1_800 + 2_400);
  await using ledger = await openEtl();
  const stops = [...life(from, until), ...life(from, ended, { container: 'c2' })];
  await tell(
    ledger,
    from,
    stops.filter(({ kind }) => kind === 'container-started'),
  );
  await settle(ledger, failover);
  // The new Resource Manager announces both again, as started, and what it saw end.
  const again = stops.map((fact) => ({
    ...fact,
    witness: 'yarn' as const,
    id: `again/${fact.id}`,
  }));
  await tell(ledger, back, [...again, ...stops]);
  await settle(ledger, until);
  const right = oracle([
    { from, until },
    { from, until: ended },
  ]);
  record('2 failover after 30 min', hops.total, right, await charged(ledger));
});

test('3. without a load-based price the base price is charged, and nothing crashes', async () => {
  const [from, until] = [T0, T0 + 60 * SECOND_MS];
  const hops = new HopsMeter({ variablePrice: false });
  hops.started(hopsContainer('c1'), from);
  assert.throws(() => hops.tick(from + TICK_MS), /the RM has exited/);
  await using ledger = await openEtl();
  await tell(ledger, until, life(from, until));
  await settle(ledger, until, { ...CONFIG, pools: [] });
  record('3 no variable price', 'RM exits', oracle([{ from, until }]), await charged(ledger));
});

test('4. no total stops counting', async () => {
  const hours = 80;
  const hops = new HopsMeter();
  for (let post = 0; post < (hours * HOUR_MS * 1_000) / TICK_MS; post += 1) {
    hops.total = Math.fround(hops.total + 10);
  }
  assert.equal(hops.total, 2 ** 28, 'frozen: another ten credits add nothing');
  await using ledger = await openEtl();
  const [from, until] = [T0, T0 + hours * HOUR_MS];
  const resources = { millicores: 1_000_000, memoryMib: 1_024, gpus: 0 };
  const last = { container: 'c2' };
  const facts = [...life(from, until, { resources }), ...life(until, until + TICK_MS, last)];
  await tell(ledger, until + TICK_MS, facts);
  await settle(ledger, until + TICK_MS);
  const balance = await ledger.ledgerReader.balance(ETL);
  const right = oracle([
    { from, until, cores: 1_000 },
    { from: until, until: until + TICK_MS },
  ]);
  record('4 1,000 cores for 80 h, and 10 s', hops.total, right, balance?.charged ?? 0n);
});

test('5. a database that fails at the end of a container loses no slice', async () => {
  const [from, until] = [T0, T0 + 25 * SECOND_MS];
  const hops = new HopsMeter();
  hops.started(hopsContainer('c1'), from);
  for (const ticks of [1, 2]) hops.tick(from + ticks * TICK_MS);
  hops.databaseFails = true;
  hops.finished('c1', until);
  hops.databaseFails = false;
  hops.tick(until + TICK_MS);
  assert.equal(hops.total, 20);
  await using ledger = await openEtl();
  await tell(ledger, until, life(from, until));
  const unavailable = new AppError('STORE_UNAVAILABLE', 'the database is away');
  const broken = settlerBefore(ledger, () => {
    throw unavailable;
  });
  await assert.rejects(broken.settle(until, 0), { code: 'STORE_UNAVAILABLE' });
  assert.equal(await charged(ledger), 0n);
  await settle(ledger, until + TICK_MS);
  record(
    '5 database away at the stop',
    hops.total,
    oracle([{ from, until }]),
    await charged(ledger),
  );
});

test('6. credits given while charges are posted are all there', async () => {
  const [from, until] = [T0, T0 + 300 * SECOND_MS];
  const hops = new HopsMeter({ variablePrice: true }, 1_000);
  hops.started(hopsContainer('c1'), from);
  const read = hops.remaining;
  hops.finished('c1', until);
  // changeYarnQuota reads, sets and merges the row: the charge between is gone.
  hops.remaining = Math.fround(read + 500);
  assert.equal(hops.remaining, 1_500);
  await using ledger = await openEtl();
  const grant = (id: string, credits: bigint) =>
    ledger.grants.grant({
      ...{ id, project: ETL, amount: credits * NANOCREDITS_PER_CREDIT },
      ...{ reason: '', grantedAt: T0 },
    });
  await grant('first', 1_000n);
  await tell(ledger, until, life(from, until));
  await Promise.all([settle(ledger, until), grant('more', 500n)]);
  const balance = must(await ledger.ledgerReader.balance(ETL), 'a project with grants');
  const right = 1_500n * NANOCREDITS_PER_CREDIT - oracle([{ from, until }]);
  record(
    '6 balance after 1,000 + 500 − 300',
    hops.remaining,
    right,
    balance.granted - balance.charged,
  );
});

test('7. a slice over midnight belongs to both days', async () => {
  const midnight = Date.UTC(2026, 10, 22);
  const [from, until] = [midnight - 35 * SECOND_MS, midnight + 5 * SECOND_MS];
  const hops = new HopsMeter();
  hops.started(hopsContainer('c1'), from);
  for (let now = from + TICK_MS; now <= until; now += TICK_MS) hops.tick(now);
  const before = hops.daily.get('2026-11-21') ?? 0;
  assert.deepEqual([before, hops.daily.get('2026-11-22')], [30, 10]);
  await using ledger = await openEtl();
  await tell(ledger, until, life(from, until));
  await settle(ledger, until);
  const days = (await allCharges(ledger)).map(({ hour, amount }) => [hour < midnight, amount]);
  const right = oracle([{ from, until: midnight }]);
  assert.deepEqual(days, [
    [true, right],
    [false, oracle([{ from: midnight, until }])],
  ]);
  record('7 day before midnight', before, right, days[0]?.[1] as bigint);
});

test('8. clocks that differ post no refund and shorten nothing', async () => {
  const [from, until] = [T0, T0 + 120 * SECOND_MS];
  const nodeClockAhead = 90 * SECOND_MS;
  const hops = new HopsMeter();
  // Recovered after a failover: created by the node's clock, charged and finished by the manager's.
  hops.started(hopsContainer('c1', 1), from + nodeClockAhead);
  for (let now = from + TICK_MS; now < until; now += TICK_MS) hops.tick(now);
  hops.finished('c1', until);
  assert.equal(hops.leastPosting, -80);
  assert.equal(hops.total, 30);
  await using ledger = await openEtl();
  const skewed = containerFact('container-started', from + nodeClockAhead, { witness: 'yarn' });
  // Only this one's stop is by another clock, and lies before its start.
  const inverted = life(from + nodeClockAhead, from + SECOND_MS, {
    container: 'c2',
    witness: 'yarn',
  });
  await tell(ledger, until, [...life(from, until), skewed, ...inverted]);
  await settle(ledger, until);
  const rows = await allCharges(ledger);
  assert.ok(
    rows.every(({ amount }) => amount >= 0n),
    'no refund',
  );
  record(
    '8 node clock 90 s ahead, 120 s',
    hops.total,
    oracle([{ from, until }]),
    await charged(ledger),
  );
});

test('9. what is written does not grow with containers times ticks', async () => {
  const containers = 400;
  const until = T0 + MINUTE_MS;
  const names = Array.from({ length: containers }, (_, i) => `c${i}`);
  const hops = new HopsMeter();
  for (const name of names) hops.started(hopsContainer(name), T0);
  await using ledger = await openEtl();
  let settlements = 0;
  const settler = settlerBefore(ledger, (settlement) => {
    if (settlement.containers.length > 0) settlements += 1;
  });
  const facts = names.flatMap((container) => life(T0, until, { container }));
  const starts = facts.filter(({ kind }) => kind === 'container-started');
  await tell(ledger, T0, starts);
  for (let now = T0 + TICK_MS; now < until; now += TICK_MS) {
    hops.tick(now);
    await settler.settle(now, 0);
  }
  for (const name of names) hops.finished(name, until);
  await tell(ledger, until, facts);
  for (let done = false; !done; ) done = (await settler.settle(until, 0)).caughtUp;
  assert.equal(hops.transactions, containers * 6);
  assert.ok(settlements <= 8, `${settlements} settlements`);
  const right = oracle(names.map(() => ({ from: T0, until })));
  const told = `${hops.total.toLocaleString('en-US')} in ${hops.transactions.toLocaleString('en-US')} transactions (ours: ${settlements})`;
  record('9 400 containers for 60 s', told, right, await charged(ledger));
});

test('10. every charge has a receipt that comes to it again', async () => {
  const [from, until] = [T0, T0 + 95 * MINUTE_MS];
  const hops = new HopsMeter();
  hops.started(hopsContainer('c1'), from);
  for (let now = from + TICK_MS; now < until; now += TICK_MS) hops.tick(now);
  hops.finished('c1', until);
  await using ledger = await openEtl();
  await tell(ledger, until, life(from, until));
  await settle(ledger, until);
  const deps = {
    ...{ ledger: ledger.ledgerReader, journal: ledger.journalReader, prices: ledger.priceWriter },
    ...{ quotes: ledger.quotes, explanations: ledger.explanations },
    metering: {
      ...{ tariff: tariffBookOf(CONFIG), poolOf: () => undefined, leaseMs: CONFIG.leaseMs },
      ...{ witnessRule: witnessRuleOf(CONFIG), outcomePolicy: outcomePolicyOf(CONFIG) },
    },
    clock: new FakeClock(until),
  };
  let explained = 0n;
  for (const row of await allCharges(ledger)) {
    const told = must(await readChargeExplanation(deps, ETL, row), 'a receipt');
    assert.equal(told.verdict.message.endsWith('nanocredits = ledger'), true);
    explained += told.verdict.recomputed;
  }
  const right = oracle([{ from, until }]);
  record(
    '10 receipts, 95 min',
    `${hops.total.toLocaleString('en-US')}, no receipt`,
    right,
    explained,
  );
});

test('11. a container on a lost node costs what it was seen to run, and then what it ran', async () => {
  const [from, lost, noticed] = [T0, T0 + 300 * SECOND_MS, T0 + 24 * HOUR_MS];
  const hops = new HopsMeter();
  hops.started(hopsContainer('c1'), from);
  for (let now = from + TICK_MS; now < noticed; now += TICK_MS) hops.tick(now);
  hops.finished('c1', noticed);
  assert.equal(hops.total, 86_400);
  await using ledger = await openEtl();
  const [start, stop] = life(from, lost);
  const seen = { cluster: 'yarn-1', container: 'c1', until: lost - 4 * SECOND_MS };
  await tell(ledger, lost, [must(start, 'a start')], [seen]);
  await settle(ledger, noticed);
  const rows = await allCharges(ledger);
  assert.deepEqual(
    rows.map(({ coverage, amount }) => [coverage, amount]),
    [['inferred', oracle([{ from, until: seen.until }])]],
  );
  await tell(ledger, noticed, [must(stop, 'the true stop, told late')]);
  await settle(ledger, noticed);
  record(
    '11 node lost after 300 s',
    hops.total,
    oracle([{ from, until: lost }]),
    await charged(ledger),
  );
});

test('the eleven side by side', (t) => {
  assert.equal(TABLE.length, 11);
  const widths = [36, 56, 16, 16] as const;
  const print = (cells: readonly string[]): void =>
    t.diagnostic(
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join(' ')
        .trimEnd(),
    );
  print(['defect', 'Hops', 'right', 'Tollgate']);
  for (const { defect, hops, right, ours } of TABLE) print([defect, hops, right, ours]);
});
