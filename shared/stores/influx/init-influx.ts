import { systemClock } from '../../runtime/clock.ts';
import { SECOND_MS } from '../../values/instant.ts';
import type { InfluxConfig } from './config.ts';
import { InfluxConnection } from './influx-connection.ts';
import { quoteName } from './influx-name.ts';
import { RAW_POLICY } from './influx-target.ts';
import {
  administer,
  bucketQuery,
  jsonOf,
  type PolicySpec,
  policySpecs,
  policyStatement,
  said,
} from './server-policies.ts';

/**
 * Creates what metrics need: in 1.x the database and its two retention policies, in 2.x two buckets
 * and their mapping for InfluxQL. What is there already is brought to the configured retention.
 *
 * @throws AppError STORE_UNAVAILABLE, STORE_MISCONFIGURED
 */
export async function initInflux(config: InfluxConfig): Promise<void> {
  using connection = new InfluxConnection(config, systemClock);
  const { signal } = new AbortController();
  if (connection.target.isV2) await initBuckets(connection, policySpecs(config), signal);
  else await initDatabase(connection, policySpecs(config), signal);
}

async function initDatabase(
  connection: InfluxConnection,
  specs: readonly PolicySpec[],
  signal: AbortSignal,
): Promise<void> {
  const { database } = connection.target;
  const run = async (statement: string, passes?: RegExp): Promise<boolean> => {
    const { status, error } = await administer(connection, statement, signal);
    if (error === '') return true;
    if (passes?.test(error)) return false;
    throw refusal(connection, status, error);
  };
  await run(`CREATE DATABASE ${quoteName(database)}`);
  for (const spec of specs) {
    const create = policyStatement('CREATE', database, spec);
    if (await run(create, /already exists/)) continue;
    await run(policyStatement('ALTER', database, spec));
  }
}

/** A 2.x server answers 401 for a missing right too, and names it. */
const MISSING_RIGHT = /\b(?:read|write):\S+ is unauthorized/;

function refusal(connection: InfluxConnection, status: number, error: string): Error {
  const right = status === 401 ? MISSING_RIGHT.exec(error)?.[0] : undefined;
  if (right !== undefined) return connection.misconfigured(`gives the token no right: ${right}`);
  if (status === 401) {
    return connection.misconfigured("doesn't accept the user and password or the token");
  }
  if (status === 403) return connection.misconfigured('gives no right to create databases');
  return status >= 500
    ? connection.unavailable(said(error))
    : connection.misconfigured(said(error));
}

async function initBuckets(
  connection: InfluxConnection,
  specs: readonly PolicySpec[],
  signal: AbortSignal,
): Promise<void> {
  const { database, org } = connection.target;
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await connection.request(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
    });
    if (answer.status < 300) return jsonOf(answer.text);
    if (answer.status === 404) return {};
    throw refusal(connection, answer.status, answer.text);
  };
  const orgs = (await call(
    'GET',
    `/api/v2/orgs?${new URLSearchParams({ org })}`,
  )) as Listed<'orgs'>;
  const orgID = orgs.orgs?.[0]?.id;
  if (orgID === undefined) {
    throw connection.misconfigured(`shows this token no organization ${org}`);
  }
  for (const spec of specs) {
    const { policy } = spec;
    const retention = {
      type: 'expire',
      everySeconds: Math.round(spec.retentionMs / SECOND_MS),
      shardGroupDurationSeconds: Math.round(spec.shardMs / SECOND_MS),
    };
    const wanted = { orgID, name: `${database}/${policy}`, retentionRules: [retention] };
    const path = bucketQuery(org, database, policy);
    const found = (await call('GET', path)) as Listed<'buckets'>;
    let bucketID = found.buckets?.[0]?.id;
    if (bucketID === undefined) {
      const made = (await call('POST', '/api/v2/buckets', wanted)) as { id?: string };
      bucketID = made.id;
    } else await call('PATCH', `/api/v2/buckets/${bucketID}`, { retentionRules: [retention] });
    const mapping = { database, retention_policy: policy };
    const query = new URLSearchParams({ orgID, db: database, rp: policy });
    const mapped = (await call('GET', `/api/v2/dbrps?${query}`)) as {
      content?: { bucketID?: string; default?: boolean }[];
    };
    const isDefault = policy === RAW_POLICY;
    const own = mapped.content?.find((one) => one.bucketID === bucketID);
    // Newer servers map a bucket called database/policy by themselves, but never as the default,
    // which a dashboard's query without a policy needs.
    if (own !== undefined && (own.default === true || !isDefault)) continue;
    await call('POST', '/api/v2/dbrps', { ...mapping, bucketID, orgID, default: isDefault });
  }
}

type Listed<K extends string> = { [P in K]?: { id?: string }[] };
