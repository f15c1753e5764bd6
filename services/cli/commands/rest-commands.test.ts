import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import { restBalance, restPrices, restQuarantine } from '../../../shared/contracts/rest.ts';
import { restPriceFreeze } from '../../../shared/contracts/rest-prices.ts';
import { DEFAULT_PRICE_RULE } from '../../../shared/price/price-rule.ts';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { loadFact, T0 } from '../../../test/support/fact-builders.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { ETL } from '../../../test/support/ledger-builders.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { type RunningApi, runningApi } from '../../../test/support/running-api.ts';
import { PriceSetter } from '../../metering/ledger/price-setter.ts';
import type { CliIo } from '../cli-io.ts';
import { balanceCommand } from './balance-command.ts';
import { logsCommand } from './logs-command.ts';
import { priceCommand as priceCommandWith } from './price-command.ts';
import { quarantineCommand } from './quarantine-command.ts';

const priceCommand = (io: CliIo) => priceCommandWith(io, randomBytes);

const grant = { id: 'g1', credits: '12.345678901', reason: '' };

function aLog(message: string, at: number): LogRecord {
  return {
    ...{ at, project: ETL, cluster: 'yarn-1', application: 'app-1', container: 'driver' },
    ...{ level: 'WARN', logger: 'o.a.s.Scheduler', thread: 'main', message, marks: [] },
    fingerprint: '00000000000000aa',
  };
}

test('balance prints a table for people and exact credits for scripts', async () => {
  await using api = await runningApi();
  await api.post('/v1/projects/etl/grants', grant);
  await api.stores.grants.register('free' as never);
  const all = await runCommand(balanceCommand, ['balance', '--url', api.url]);
  assert.equal(all.exitCode, 0, all.err);
  assert.match(all.out, /^PROJECT +BALANCE +GRANTED/);
  assert.match(all.out, /^etl +12\.345… /m);
  assert.match(all.out, /^free .*no limit$/m);
  const one = await runCommand(balanceCommand, ['balance', 'etl', '--json', '--url', api.url]);
  assert.equal(restBalance.parse(JSON.parse(one.out)).balance, grant.credits);
});

test('price draws the steps of each pool and lists them, newest first', async () => {
  await using api = await runningApi({ now: T0 });
  for (const [hours, step] of [
    [5, 1_000],
    [2, 1_500],
    [1, 1_150],
  ] as const) {
    const rest = { end: undefined, ruleVersion: 'v1', reason: `to ${step}`, inputs: '{}' };
    const epoch = { id: `e${step}`, pool: 'cpu', step, start: T0 - hours * HOUR_MS, ...rest };
    await api.stores.priceWriter.announce(epoch, T0);
  }
  const args = ['price', '--from', '-6h', '--url', api.url];
  const text = await runCommand(priceCommand, args, { clock: api.clock });
  assert.equal(text.exitCode, 0, text.err);
  assert.match(text.out, /^cpu {2}▁+█+▃+ {2}1\.15 X$/m);
  const rows = text.out.split('\n').filter((line) => /^cpu +1\./.test(line));
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)[1]),
    // The hour before the first epoch has the base price.
    ['1.15 X', '1.50 X', '1.00 X', '1.00 X'],
  );
  const json = await runCommand(priceCommand, [...args, '--json']);
  assert.equal(restPrices.parse(JSON.parse(json.out)).pools[0]?.now.multiplier, '1.15');
});

test('logs prints lines oldest first, and what a tenant wrote moves no cursor', async () => {
  await using api = await runningApi({ now: T0 });
  const hostile = 'evil \u001b[2J\u202e\u009b31m line\nsecond';
  const records = [aLog('first', T0 - 9_000), aLog(hostile, T0 - 5_000)];
  await api.logWriter.write({ records, checkpoints: [] });
  const base = ['logs', '-p', 'etl', '--url', api.url];
  const { out, exitCode } = await runCommand(logsCommand, base);
  assert.equal(exitCode, 0);
  assert.equal(
    out,
    '2026-11-21T08:59:51.000Z WARN  app-1/driver o.a.s.Scheduler: first\n' +
      '2026-11-21T08:59:55.000Z WARN  app-1/driver o.a.s.Scheduler: ' +
      'evil \\u001b[2J\\u202e\\u009b31m line\nsecond\n',
  );
  const found = await runCommand(logsCommand, [...base, '--json', 'evil', '-l', 'warn']);
  assert.equal(JSON.parse(found.out).message, hostile);
  const none = await runCommand(logsCommand, [...base, '-l', 'error']);
  assert.equal(none.out, '');
});

test('logs reads as many pages as its limit needs', async () => {
  await using api = await runningApi({ now: T0 });
  const records = Array.from({ length: 2_300 }, (_, i) => aLog(`n${i}`, T0 - 60_000 + i));
  await api.logWriter.write({ records, checkpoints: [] });
  const args = ['logs', '-p', 'etl', '-n', '2200', '--url', api.url];
  const lines = (await runCommand(logsCommand, args)).out.trimEnd().split('\n');
  assert.equal(lines.length, 2_200);
  assert.match(lines[0] ?? '', /n100$/);
  assert.match(lines.at(-1) ?? '', /n2299$/);
});

/** Follows until a line holds the text, then stops as Ctrl+C does. */
async function followUntil(api: RunningApi, last: string, onLine: (line: string) => void) {
  const stop = new AbortController();
  const clock = { ...systemClock, now: () => api.clock.now(), sleep: () => tick() };
  return runCommand(logsCommand, ['logs', '-p', 'etl', '-f', '--url', api.url], {
    clock,
    signal: stop.signal,
    out: (line) => {
      onLine(line);
      if (line.includes(last)) stop.abort();
    },
  });
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('following prints each new line once, late ones included, until it is stopped', async () => {
  await using api = await runningApi({ now: T0 });
  const steps = [
    aLog('one', T0 - 3_000),
    aLog('two', T0 - 2_000),
    aLog('late', T0 - 2_500),
    aLog('end', T0 - 1_000),
  ];
  const write = async (): Promise<void> => {
    const [record] = steps.splice(0, 1);
    if (record === undefined) return;
    const written = api.logWriter.write({ records: [record], checkpoints: [] });
    await api.clock.advance(1_000);
    await written;
  };
  await write();
  const { out, exitCode } = await followUntil(api, 'end', () => void write());
  assert.equal(exitCode, 0);
  assert.deepEqual(
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').at(-1)),
    ['one', 'two', 'late', 'end'],
  );
});

test('quarantine lists by reason, cuts records to a line, and replays', async () => {
  await using api = await runningApi({
    deps: {
      replay: async (records) => ({
        ...{ stored: records.length, duplicates: 0, dropped: 0, quarantined: 0 },
        verdicts: [],
      }),
    },
  });
  const empty = await runCommand(quarantineCommand, ['quarantine', 'list', '--url', api.url]);
  assert.equal(empty.out, 'The quarantine is empty.\n');
  const record = {
    ...{ id: 'a', collector: 'logs' as const, source: 'http:yarn-1', reason: 'not-json' },
    ...{ project: 'etl', observedAt: T0, raw: `{"a":\u001b[31m\n${'x'.repeat(500)}` },
  };
  await api.deps.quarantine.put([record]);
  const list = await runCommand(quarantineCommand, ['quarantine', 'list', '--url', api.url]);
  assert.match(list.out, /^ +1 +logs +not-json$/m);
  assert.match(list.out, /\\u001b\[31m x+…$/m);
  const args = ['quarantine', 'list', '--json', '--url', api.url];
  const json = await runCommand(quarantineCommand, args);
  assert.equal(restQuarantine.parse(JSON.parse(json.out)).records[0]?.raw, record.raw);
  const replay = ['quarantine', 'replay', '--reason', 'not-json', '--url', api.url];
  const { out } = await runCommand(quarantineCommand, replay);
  assert.equal(out, '1 records were tried again, 1 are stored.\n');
});

test('price freezes and frees a pool, and tells why with --why', async () => {
  await using api = await runningApi({ now: T0 });
  const url = ['--url', api.url];
  const reason = ['--reason', 'nightly migration'];
  const frozen = await runCommand(priceCommand, ['price', 'freeze', 'cpu', ...reason, ...url]);
  assert.equal(frozen.exitCode, 0, frozen.err);
  assert.match(frozen.out, /^cpu: what is announced still comes, then the price stays/);
  const [kept] = await api.stores.priceFreezes.ofPool('cpu', 1);
  assert.deepEqual([kept?.frozen, kept?.reason], [true, 'nightly migration']);
  const { journalReader: journal, priceWriter: prices, priceFreezes } = api.stores;
  const stores = { journal, prices, priceFreezes };
  const facts = [loadFact(T0 - 10_000, 0.7)];
  await api.stores.journalWriter.record(journalBatch({ facts }), T0);
  const clusters = async () => ['yarn-1'];
  const setter = new PriceSetter(stores, { id: 'cpu', clusters, rule: DEFAULT_PRICE_RULE });
  await setter.evaluate(T0 - 5 * 60_000);
  await setter.evaluate(T0);
  const why = await runCommand(priceCommand, ['price', '--why', ...url], { clock: api.clock });
  assert.equal(why.exitCode, 0, why.err);
  assert.match(why.out, /^Why cpu$/m);
  assert.match(why.out, /^ {2}2026-11-21 09:00 {2}frozen: nightly migration$/m);
  assert.match(why.out, /^ {2}2026-11-21 09:00 {2}thought {2}frozen; smoothed load of 7 %/m);
  assert.match(why.out, /^ {2}2026-11-21 08:57 {2}1\.00 X {2}the first price/m);
  const freed = await runCommand(priceCommand, [
    ...['price', 'unfreeze', 'cpu', '--json'],
    ...[...reason, ...url],
  ]);
  assert.equal(restPriceFreeze.parse(JSON.parse(freed.out)).frozen, false);
  const vague = await runCommand(priceCommand, ['price', 'freeze', 'cpu', ...url]);
  assert.notEqual(vague.exitCode, 0);
  assert.match(vague.err, /--reason/);
});
