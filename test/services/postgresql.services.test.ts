import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { must } from '../../shared/errors/assert.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { checkPostgres } from '../../shared/stores/sql/check-postgres.ts';
import type { PostgresConfig } from '../../shared/stores/sql/config.ts';
import { initPostgres } from '../../shared/stores/sql/init-postgres.ts';
import { openPostgresLedger } from '../../shared/stores/sql/open-postgres-ledger.ts';
import { openPostgresProjectLookup } from '../../shared/stores/sql/postgres-project-lookup.ts';
import { openPostgresQuarantine } from '../../shared/stores/sql/postgres-quarantine.ts';
import { openQuotaPool, QUOTA } from '../../shared/stores/sql/postgres-quota.ts';
import { containerFact, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../support/ledger-builders.ts';
import { freePort } from '../support/running-tollgate.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import { freshSchema, RETRY, unusedSchema } from './support/postgres-schema.ts';
import { postgresqlSuites } from './support/postgresql-suites.ts';

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql();
});
after(async () => server?.[Symbol.asyncDispose]());

postgresqlSuites('postgresql', () => server);

/** A session with the schema in its path. */
async function session({ url, schema }: PostgresConfig): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url, options: `-c search_path=${schema}` });
  client.on('error', () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

async function partitions(config: PostgresConfig): Promise<string[]> {
  await using client = await session(config);
  const { rows } = await client.query(
    `SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname = $1 AND relispartition AND relkind = 'r' ORDER BY 1`,
    [config.schema],
  );
  return rows.map((row: { relname: string }) => row.relname);
}

test('many who initialise at once make one schema, and again nothing', async () => {
  const config = unusedSchema(server);
  await assert.rejects(checkPostgres(config), (error: Error) => {
    assert.match(error.message, /no tables of Tollgate; run "tollgate stores init"/);
    return true;
  });
  await Promise.all(Array.from({ length: 6 }, () => initPostgres(config, { clock: systemClock })));
  await checkPostgres(config);
  const made = await partitions(config);
  await initPostgres(config, { clock: systemClock });
  assert.deepEqual(await partitions(config), made);
  assert.ok(made.length >= 4, 'facts and charges of this month and the next');
});

test('tables of a newer version are left alone', async () => {
  const config = await freshSchema(server);
  await using client = await session(config);
  await client.query('INSERT INTO migration VALUES (99, 0)');
  for (const attempt of [checkPostgres(config), initPostgres(config, { clock: systemClock })]) {
    await assert.rejects(attempt, { code: 'STORE_MISCONFIGURED', message: /newer Tollgate/ });
  }
});

test('what is wrong is said with what to do, and without the secret', async () => {
  const config = await freshSchema(server);
  await using client = await session(config);
  for (const [name, password] of [
    ['guarded', "PASSWORD 'right'"],
    ['stranger', ''],
  ]) {
    await client.query(`DROP ROLE IF EXISTS ${name}`);
    await client.query(`CREATE ROLE ${name} LOGIN ${password}`);
  }
  await client.query(`GRANT USAGE ON SCHEMA ${config.schema} TO stranger`);
  await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${config.schema} TO stranger`);
  const { host } = new URL(server.url);
  const url = (user: string, at = `${host}/postgres`) => `postgresql://${user}@${at}`;
  const closed = `127.0.0.1:${await freePort()}/postgres`;
  const cases: [Partial<PostgresConfig>, string, RegExp][] = [
    [{ url: url('u:sesame', closed) }, 'STORE_UNAVAILABLE', /does not answer/],
    [{ url: url('u', 'no.such.host.invalid/db') }, 'STORE_UNAVAILABLE', /host name|not answer/],
    [{ url: url('guarded:sesame') }, 'STORE_MISCONFIGURED', /user or password/],
    [{ url: url('guarded'), password: 'sesame' }, 'STORE_MISCONFIGURED', /user or password/],
    [{ url: url('nobody-here:sesame') }, 'STORE_MISCONFIGURED', /user or password/],
    [{ url: url('tollgate', `${host}/nowhere`) }, 'STORE_MISCONFIGURED', /no such database/],
    [{ url: url('stranger:sesame') }, 'STORE_MISCONFIGURED', /doesn't own table/],
    [{ tls: true }, 'STORE_MISCONFIGURED', /no TLS/],
    [{ caFile: '/nowhere/ca.pem' }, 'STORE_MISCONFIGURED', /caFile \/nowhere\/ca.pem/],
  ];
  for (const [more, code, message] of cases) {
    await assert.rejects(checkPostgres({ ...config, ...more }), (error: Error) => {
      assert.match(error.message, message);
      assert.equal((error as Error & { code: string }).code, code);
      assert.match(error.message, /PostgreSQL at postgresql:\/\/[^@]*:/);
      assert.doesNotMatch(error.message, /sesame/);
      return true;
    });
  }
});

test('a server that loses what it acknowledged is refused', async () => {
  const config = await freshSchema(server);
  await using client = await session(config);
  await client.query('DROP ROLE IF EXISTS hasty');
  await client.query('CREATE ROLE hasty LOGIN SUPERUSER');
  await client.query('ALTER ROLE hasty SET synchronous_commit = off');
  const url = server.url.replace('tollgate@', 'hasty@');
  await assert.rejects(checkPostgres({ ...config, url }), {
    code: 'STORE_MISCONFIGURED',
    message: /synchronous_commit is off/,
  });
});

test('late facts and charges find or make their months, many makers at once', async () => {
  const config = await freshSchema(server);
  const ledgers = await Promise.all([1, 2, 3].map(() => openPostgresLedger(config, RETRY)));
  const months = Array.from({ length: 8 }, (_, i) => Date.UTC(2019, i, 15, 6));
  const far = [Date.UTC(1970, 0), Date.UTC(2500, 5), -8.64e15];
  const facts = [...months, ...far].map((at) => containerFact('container-started', at));
  const results = await Promise.all(
    ledgers.map(({ journalWriter }) => journalWriter.record(journalBatch({ facts }), T0)),
  );
  assert.equal(
    results.reduce((sum, { stored }) => sum + stored, 0),
    facts.length,
  );
  const charges = months.map((hour) => aCharge({ hour, amount: 1n }));
  const settlement = aSettlement({ charges, applications: [anApplication()] });
  await Promise.all(ledgers.map(({ ledgerWriter }) => ledgerWriter.settle(settlement)));
  const [ledger] = ledgers;
  assert.equal((await ledger?.ledgerReader.balance(ETL))?.charged, 8n);
  const made = await partitions(config);
  for (const name of ['fact_201903', 'charge_201903', 'fact_000000', 'fact_999999']) {
    assert.ok(made.includes(name), name);
  }
  const moved = { ...containerFact('container-started', months[0] ?? 0), at: months[3] ?? 0 };
  const again = await ledger?.journalWriter.record(journalBatch({ facts: [moved] }), T0);
  assert.deepEqual(again?.conflicts, [moved], 'an id is one fact, whatever month it claims');
  for (const one of ledgers) await one[Symbol.asyncDispose]();
});

test('the quota check reads by index alone', async () => {
  const config = await freshSchema(server);
  await using client = await session(config);
  await client.query(
    `INSERT INTO balance SELECT 'p' || i, '1', '1', '1', '1', 0 FROM generate_series(1, 20000) i`,
  );
  await client.query(
    `INSERT INTO price_epoch SELECT 'pool' || i % 4, i, 'e' || i, 1000, 'v', 'r', '{}', 0
      FROM generate_series(1, 20000) i`,
  );
  await client.query(
    `INSERT INTO reservation (project, id, application, body, state, held, millicores, pending,
        pending_millicores, created_at, expires_at)
      SELECT 'p' || i % 200, i, 'a', '{}', CASE WHEN i % 2 = 0 THEN 'held' ELSE 'posted' END,
        1, 1, 1, 1, i, i FROM generate_series(1, 20000) i`,
  );
  await client.query('ANALYZE');
  // One page of two rows costs the planner less to read whole; an index is there none the less.
  await client.query('SET enable_seqscan = off');
  const asked = [
    ['p7', 'p8'],
    ['pool1', 'pool2'],
    [900, 950],
    [900, 950],
  ];
  const { rows } = await client.query(`EXPLAIN (COSTS OFF) ${QUOTA.text}`, asked);
  const plan = rows.map((row: Record<string, string>) => row['QUERY PLAN']).join('\n');
  assert.equal(plan.match(/Index (Only )?Scan/g)?.length, 4, plan);
  // Of leases that are over, which are none or few, the index tells where they are.
  assert.doesNotMatch(plan, /Seq Scan|Bitmap Heap Scan on (?!reservation)|Sort/);
  await client.query('SET enable_seqscan = on');
  const freely = await client.query(`EXPLAIN (COSTS OFF) ${QUOTA.text}`, asked);
  assert.doesNotMatch(JSON.stringify(freely.rows), /Seq Scan on (balance|price_epoch|reservation)/);
});

test('quota checks never wait for other reads, which have taken all connections', async () => {
  const config = await freshSchema(server, { poolSize: 2, connectTimeoutMs: 500 });
  await using ledger = await openPostgresLedger(config, RETRY);
  await ledger.grants.register(ETL);
  await using client = await session(config);
  await client.query('BEGIN');
  await client.query('LOCK TABLE charge IN ACCESS EXCLUSIVE MODE');
  const window = { from: T0, until: T0 + 1 };
  const read = () => ledger.ledgerReader.charges(ETL, window, { limit: 1 });
  const reads = [read(), read()];
  await assert.rejects(read(), { code: 'STORE_UNAVAILABLE' });
  for (let n = 0; n < 20; n += 1) {
    const answer = await ledger.ledgerReader.quota(ETL, 'cpu', T0);
    assert.equal(answer?.balance.project, ETL);
  }
  await client.query('COMMIT');
  await Promise.all(reads);
});

test('quota checks wait neither for a settlement under way nor see it before its end', async () => {
  const config = await freshSchema(server);
  await using ledger = await openPostgresLedger(config, RETRY);
  await ledger.grants.register(ETL);
  await using client = await session(config);
  await client.query('BEGIN');
  await client.query("UPDATE balance SET charged = '7'");
  await client.query('UPDATE shard SET as_of = 9');
  const charged = async () => {
    const { balance } = must(await ledger.ledgerReader.quota(ETL, 'cpu', T0), 'it is known');
    return [balance.charged, balance.asOf];
  };
  assert.deepEqual(await charged(), [0n, 0]);
  await client.query('COMMIT');
  assert.deepEqual(await charged(), [7n, 9]);
});

test('the quota check is parsed and planned once a connection', async () => {
  const config = await freshSchema(server);
  const pool = openQuotaPool(config);
  for (let n = 0; n < 20; n += 1) {
    await pool.read(QUOTA, [['p1', `p${n}`], ['cpu'], [T0 + n], [T0, T0 + n]]);
  }
  const text =
    'SELECT generic_plans::int AS same, custom_plans::int AS anew FROM pg_prepared_statements WHERE name = $1';
  const [plans] = await pool.read({ name: 'plans', text }, [QUOTA.name]);
  assert.deepEqual(plans, { same: 20, anew: 0 });
  await pool.end();
});

test('projects of applications are known at once, and learned when they come', async () => {
  const config = await freshSchema(server);
  await using ledger = await openPostgresLedger(config, RETRY);
  const settle = (application: string) =>
    ledger.ledgerWriter.settle(aSettlement({ applications: [anApplication({ application })] }));
  await settle('app-1');
  let now = T0;
  const clock = { ...systemClock, now: () => now };
  await using lookup = await openPostgresProjectLookup(config, { clock });
  assert.equal(lookup.projectOf('yarn-1', 'app-1'), ETL);
  assert.equal(lookup.projectOf('yarn-1', ''), undefined);
  assert.equal(lookup.projectOf('yarn-1', 'app-2'), undefined);
  await lookup.settled();
  await settle('app-2');
  assert.equal(lookup.projectOf('yarn-1', 'app-2'), undefined, 'unknown is believed for a while');
  await lookup.settled();
  now += 2_000;
  lookup.projectOf('yarn-1', 'app-2');
  await lookup.settled();
  assert.equal(lookup.projectOf('yarn-1', 'app-2'), ETL);
});

test('a quarantine that is full lets the oldest go, and tells how many', async () => {
  const config = await freshSchema(server);
  let evicted = 0;
  await using quarantine = await openPostgresQuarantine(config, {
    maxBytes: 10_000,
    onEvicted: (records) => {
      evicted += records;
    },
  });
  const record = (n: number) => ({
    id: `r${n}`,
    collector: 'logs' as const,
    source: 's',
    reason: 'r',
    project: 'etl',
    observedAt: T0,
    raw: 'x'.repeat(900),
  });
  const numbers = Array.from({ length: 30 }, (_, i) => i);
  await Promise.all(numbers.slice(0, 15).map((n) => quarantine.put([record(n)])));
  for (const n of numbers.slice(15)) await quarantine.put([record(n)]);
  const kept = await quarantine.list({ limit: 99 });
  assert.deepEqual(
    kept.map(({ id }) => id),
    numbers
      .slice(-kept.length)
      .reverse()
      .map((n) => `r${n}`),
  );
  assert.equal(kept.length, 9);
  assert.equal(evicted, 21);
});
