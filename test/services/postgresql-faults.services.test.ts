import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openPostgresLedger } from '../../shared/stores/sql/open-postgres-ledger.ts';
import { allCharges } from '../support/metering-run.ts';
import { CuttingProxy } from './servers/cutting-proxy.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import {
  balances,
  persist,
  platform,
  record,
  settleAll,
  text,
  undisturbed,
} from './support/metered-platform.ts';
import { freshSchema, RETRY } from './support/postgres-schema.ts';

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql();
});
after(async () => server?.[Symbol.asyncDispose]());

test('kill -9 in the middle of writing and settling leaves the charges bit-identical', async (t) => {
  const { process } = server;
  if (process === undefined) return t.skip('the server given by URL is not ours to kill');
  const expected = await undisturbed();
  await using ledger = await openPostgresLedger(await freshSchema(server), RETRY);
  let [over, kills, slowest] = [false, 0, 0];
  const killer = (async () => {
    while (!over && kills < 8) {
      await wait(150 + 130 * (kills % 4));
      await process.kill();
      kills += 1;
      await process.start();
      const ready = performance.now();
      await persist(() => ledger.ledgerWriter.cursor(0));
      slowest = Math.max(slowest, performance.now() - ready);
    }
  })();
  let failures = await record(ledger, platform());
  failures += await settleAll(ledger);
  // What was acknowledged is there, and doing everything again adds nothing.
  failures += await record(ledger, platform());
  failures += await settleAll(ledger);
  over = true;
  await killer;
  t.diagnostic(
    `${kills} kills, ${failures} failed calls, ${expected.net.length} charges; ` +
      `a query succeeded ${Math.round(slowest)} ms after the server was ready`,
  );
  assert.ok(kills >= 2 && failures >= 2, 'the kills came in the middle');
  assert.equal(text(await allCharges(ledger)), expected.charges);
  assert.equal(await balances(ledger), expected.balances);
});

test('a network that is cut and mended is used again without a person', async (t) => {
  const { port } = server;
  await using proxy = await CuttingProxy.start({ host: '127.0.0.1', port });
  const direct = await freshSchema(server);
  const url = direct.url.replace(`:${port}`, `:${proxy.port}`);
  await using ledger = await openPostgresLedger({ ...direct, url }, RETRY);
  const facts = platform();
  const recording = record(ledger, facts);
  await wait(50);
  proxy.cut();
  await assert.rejects(ledger.ledgerWriter.cursor(0), { code: 'STORE_UNAVAILABLE' });
  await wait(1_000);
  const mended = performance.now();
  proxy.mend();
  await persist(() => ledger.ledgerWriter.cursor(0));
  t.diagnostic(`answered ${Math.round(performance.now() - mended)} ms after the mending`);
  await recording;
  const stored = await ledger.journalReader.factsAfter(0, 10_000);
  assert.equal(stored.length, facts.length);
});

test('a server that stands still is given up, and used again when it goes on', async (t) => {
  const { port } = server;
  await using proxy = await CuttingProxy.start({ host: '127.0.0.1', port });
  const direct = await freshSchema(server);
  const url = direct.url.replace(`:${port}`, `:${proxy.port}`);
  const config = { ...direct, url, statementTimeoutMs: 500, connectTimeoutMs: 500 };
  await using ledger = await openPostgresLedger(config, RETRY);
  await ledger.ledgerWriter.cursor(0);
  proxy.slow(4_000);
  const start = performance.now();
  await assert.rejects(ledger.ledgerWriter.cursor(0), { code: 'STORE_UNAVAILABLE' });
  t.diagnostic(`given up after ${Math.round(performance.now() - start)} ms`);
  assert.ok(performance.now() - start < 3 * 3_000);
  proxy.slow(0);
  assert.equal((await persist(() => ledger.ledgerWriter.cursor(0))).result, 0);
});
