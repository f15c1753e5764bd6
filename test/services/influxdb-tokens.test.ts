import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppError } from '../../shared/errors/app-error.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { checkInflux } from '../../shared/stores/influx/check-influx.ts';
import type { InfluxConfig } from '../../shared/stores/influx/config.ts';
import { initInflux } from '../../shared/stores/influx/init-influx.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { InfluxDatabase } from '../support/influx-database.ts';
import { type RunningInfluxdb, startInfluxdb } from './servers/influxdb.ts';

const ETL = 'etl' as ProjectId;
let server: RunningInfluxdb;

before(async () => {
  server = await startInfluxdb({ version: '2.9.1' });
});
after(async () => server?.[Symbol.asyncDispose]());

async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${server.url}/api/v2/${path}`, {
    method,
    headers: { authorization: `Token ${server.login.token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, text);
  return (text === '' ? {} : JSON.parse(text)) as T;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

async function bucketIds({ bucket }: InfluxConfig): Promise<string[]> {
  const { buckets } = await api<{ buckets: Named[] }>('GET', 'buckets?limit=100');
  return buckets.filter(({ name }) => name.startsWith(`${bucket}/`)).map(({ id }) => id);
}

/** A token that may do this to the configured buckets and read these resources, and nothing else. */
async function tokenFor(
  config: InfluxConfig,
  actions: readonly string[],
  readable: readonly string[] = [],
): Promise<string> {
  const { orgs } = await api<{ orgs: Named[] }>('GET', `orgs?org=${server.login.org}`);
  const [{ id: orgID } = { id: '' }] = orgs;
  const ids = await bucketIds(config);
  const buckets = ids.flatMap((id) =>
    actions.map((action) => ({ action, resource: { type: 'buckets', id, orgID } })),
  );
  const others = readable.map((type) => ({ action: 'read', resource: { type } }));
  const permissions = [...buckets, ...others];
  const body = { orgID, description: 'test', permissions };
  return (await api<{ token: string }>('POST', 'authorizations', body)).token;
}

/** What the check says of a configuration. The secret is in none of it. */
async function problem(config: InfluxConfig): Promise<string> {
  try {
    await checkInflux(config);
    return 'none';
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.ok(!error.message.includes(config.token));
    return `${error.code}: ${error.message}`;
  }
}

test('a token that reads and writes the two buckets is enough for all but init', async () => {
  const all = await InfluxDatabase.config(server);
  const config = { ...all, token: await tokenFor(all, ['read', 'write']) };
  assert.equal(await problem(config), 'none');
  await using database = await InfluxDatabase.open(config);
  const at = systemClock.now();
  const series = { measurement: 'driver', field: 'jobs', tags: { project: ETL } };
  await database.put([[series, at, 3]]);
  const [latest] = await database.reader.latest(ETL, 'driver', 0);
  assert.deepEqual(latest?.fields, { jobs: 3 });
  await assert.rejects(initInflux(config), /shows this token no organization/);
  const sees = { ...config, token: await tokenFor(all, ['read', 'write'], ['orgs']) };
  const right = { code: 'STORE_MISCONFIGURED', message: /no right: write:orgs\/\w+\/buckets/ };
  await assert.rejects(initInflux({ ...sees, bucket: 'other' }), right);
});

test('a wrong token, organization or right and a missing bucket are told apart', async () => {
  const config = await InfluxDatabase.config(server);
  assert.match(await problem({ ...config, token: 'wrong-token' }), /MISCONFIGURED.* the token$/);
  assert.match(await problem({ ...config, org: 'elsewhere' }), /no bucket .* elsewhere/);
  const readOnly = { ...config, token: await tokenFor(config, ['read']) };
  assert.match(await problem(readOnly), /gives no right to write to .*\/raw/);
  await using refused = await InfluxDatabase.open(readOnly);
  const series = { measurement: 'driver', field: 'jobs', tags: { project: ETL } };
  await assert.rejects(refused.put([[series, systemClock.now(), 1]]), {
    code: 'STORE_MISCONFIGURED',
    message: /no right to write/,
  });
  const writeOnly = { ...config, token: await tokenFor(config, ['write']) };
  assert.match(await problem(writeOnly), /shows no bucket .*give the token the right to read it/);
  const [raw = ''] = await bucketIds(config);
  await api('DELETE', `buckets/${raw}`);
  assert.match(await problem(config), /shows no bucket .*; run "tollgate stores init"/);
  await initInflux(config);
  assert.equal(await problem(config), 'none');
  await using database = await InfluxDatabase.open(config);
  await database.put([[series, systemClock.now(), 1]]);
  assert.equal((await database.reader.latest(ETL, 'driver', 0)).length, 1);
});

test("init makes the raw bucket what a dashboard's query without a policy reads", async () => {
  await using database = await InfluxDatabase.create(server);
  await initInflux(database.config);
  const series = { measurement: 'driver', field: 'jobs', tags: { project: ETL, executor: '1' } };
  await database.put([[series, systemClock.now(), 3]]);
  assert.equal(await database.number('SELECT count("jobs") FROM "driver"'), 1);
  assert.deepEqual(await database.ask('SHOW TAG KEYS FROM "driver"'), [['executor'], ['project']]);
});
