import { AppError } from '../../errors/app-error.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { InfluxConfig } from './config.ts';
import { InfluxConnection } from './influx-connection.ts';
import { quoteName } from './influx-name.ts';
import { LONG_POLICY, type Policy, RAW_POLICY } from './influx-target.ts';
import { administer, bucketQuery, jsonOf, said } from './server-policies.ts';

const POLICIES: readonly Policy[] = [RAW_POLICY, LONG_POLICY];
const LOGIN = "doesn't accept the user and password or the token";
const INIT = 'run "tollgate stores init"';

/**
 * Asks the server what metrics need of it: that it is InfluxDB of a known version, knows the login,
 * has the database or buckets, and lets them be read and written. Nothing is changed.
 *
 * @returns the server's version
 * @throws AppError STORE_UNAVAILABLE, STORE_MISCONFIGURED
 */
export async function checkInflux(config: InfluxConfig): Promise<{ version: string }> {
  using connection = new InfluxConnection(config, systemClock);
  const { signal } = new AbortController();
  const version = await versionOf(connection, signal);
  const { isV2 } = connection.target;
  if (isV2 === version.startsWith('1.')) {
    const advice = isV2 ? 'give username and password, no token' : 'give org, bucket and token';
    throw misconfigured(connection, `is version ${version}; ${advice}`);
  }
  if (isV2) await checkBuckets(connection, signal);
  else await checkDatabase(connection, signal);
  for (const policy of POLICIES) await checkWrite(connection, policy, signal);
  await checkRead(connection, signal);
  return { version };
}

function misconfigured({ shown }: InfluxConnection, what: string): AppError {
  return new AppError('STORE_MISCONFIGURED', `the metric store, InfluxDB at ${shown}, ${what}`);
}

async function versionOf(connection: InfluxConnection, signal: AbortSignal): Promise<string> {
  const ping = await connection.request('/ping', { method: 'GET', signal });
  const version = ping.status < 300 ? ping.version.replace(/^v/, '') : '';
  if (/^[1-9]\d*\./.test(version)) {
    if (Number(version.split('.')[0]) > 1 || /^1\.(8|9|\d\d)/.test(version)) return version;
    throw misconfigured(connection, `is version ${version}; at least 1.8 is needed`);
  }
  const health = await connection.request('/health', { method: 'GET', signal });
  const { name, version: told } = jsonOf(health.text) as { name?: string; version?: string };
  if (name === 'influxdb') return (told ?? 'unknown').replace(/^v/, '');
  throw misconfigured(
    connection,
    `answers GET /ping with ${ping.status} and names no version: is this the address of InfluxDB?`,
  );
}

async function checkDatabase(connection: InfluxConnection, signal: AbortSignal): Promise<void> {
  const { database } = connection.target;
  const statement = `SHOW RETENTION POLICIES ON ${quoteName(database)}`;
  const { status, error, values } = await administer(connection, statement, signal);
  if (status === 401) throw misconfigured(connection, LOGIN);
  if (/database not found/.test(error)) {
    throw misconfigured(connection, `has no database ${database}; ${INIT}`);
  }
  // A user without rights on the database may not list its policies; writing shows what is there.
  if (status === 403) return;
  if (error !== '') throw connection.unavailable(said(error));
  const names = new Set(values.map(([name]) => name));
  for (const policy of POLICIES) {
    if (names.has(policy)) continue;
    throw misconfigured(
      connection,
      `has no retention policy ${policy} on database ${database}; ${INIT}`,
    );
  }
}

async function checkBuckets(connection: InfluxConnection, signal: AbortSignal): Promise<void> {
  const { database, org } = connection.target;
  for (const policy of POLICIES) {
    const path = bucketQuery(org, database, policy);
    const answer = await connection.request(path, { method: 'GET', signal });
    if (answer.status === 401) throw misconfigured(connection, LOGIN);
    if (answer.status >= 500) throw connection.unavailable(said(answer.text));
    const { buckets = [] } = jsonOf(answer.text) as { buckets?: unknown[] };
    if (answer.status < 300 && buckets.length > 0) continue;
    throw misconfigured(
      connection,
      `shows no bucket ${database}/${policy} in organization ${org}; ${INIT}, or give the token ` +
        'the right to read it',
    );
  }
}

/** A line that is only a comment is checked for its rights, and stores nothing. */
async function checkWrite(
  connection: InfluxConnection,
  policy: Policy,
  signal: AbortSignal,
): Promise<void> {
  const { status, text } = await connection.write(policy, '# tollgate stores check\n', signal);
  if (status < 300) return;
  const { database } = connection.target;
  if (status === 401) throw misconfigured(connection, LOGIN);
  if (status === 403) {
    throw misconfigured(connection, `gives no right to write to ${database}/${policy}`);
  }
  if (status === 404 || /retention policy not found/.test(text)) {
    throw misconfigured(connection, `has no ${database}/${policy}; ${INIT}`);
  }
  throw connection.unavailable(`answers a write to ${database}/${policy} with ${status}`);
}

async function checkRead(connection: InfluxConnection, signal: AbortSignal): Promise<void> {
  const { database } = connection.target;
  const source = connection.from(RAW_POLICY, 'tollgate_window');
  const statement = `SHOW FIELD KEYS ON ${quoteName(database)} FROM ${source}`;
  const { status, error } = await administer(connection, statement, signal);
  if (error === '') return;
  if (status === 401) throw misconfigured(connection, LOGIN);
  if (status === 403 || /not authorized/.test(error)) {
    throw misconfigured(connection, `gives no right to read ${database}`);
  }
  throw misconfigured(connection, said(error));
}
