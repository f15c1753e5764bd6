import { SECOND_MS } from '../../values/instant.ts';
import type { InfluxConfig } from './config.ts';
import type { InfluxConnection } from './influx-connection.ts';
import { quoteName, quoteText } from './influx-name.ts';
import { LONG_POLICY, type Policy, RAW_POLICY } from './influx-target.ts';

/** A retention policy of 1.x, or a bucket of 2.x. */
export interface PolicySpec {
  readonly policy: Policy;
  readonly retentionMs: number;
  /** How much time goes at once when its retention is over. */
  readonly shardMs: number;
}

const HOUR_MS = 3_600 * SECOND_MS;

/** Shards are an eighth of the raw retention, so that series don't outlive it by long. */
export function policySpecs(config: InfluxConfig): PolicySpec[] {
  const shardMs = (retentionMs: number): number =>
    Math.max(HOUR_MS, Math.min(168 * HOUR_MS, Math.floor(retentionMs / 8 / HOUR_MS) * HOUR_MS));
  const spec = (policy: Policy, retentionMs: number): PolicySpec => ({
    policy,
    retentionMs,
    shardMs: shardMs(retentionMs),
  });
  return [spec(RAW_POLICY, config.rawRetentionMs), spec(LONG_POLICY, config.longRetentionMs)];
}

/** Runs a statement of administration. Its own error is the answer's text. */
export async function administer(
  connection: InfluxConnection,
  statement: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly error: string; readonly values: unknown[][] }> {
  const body = new URLSearchParams({ q: statement }).toString();
  const contentType = 'application/x-www-form-urlencoded';
  const answer = await connection.request('/query', { method: 'POST', body, contentType, signal });
  const json = jsonOf(answer.text) as {
    error?: string;
    results?: { error?: string; series?: { values?: unknown[][] }[] }[];
  };
  const result = json.results?.[0];
  const error = json.error ?? result?.error ?? (answer.status < 300 ? '' : answer.text);
  return { status: answer.status, error, values: result?.series?.[0]?.values ?? [] };
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** CREATE or ALTER RETENTION POLICY of a spec. */
export function policyStatement(
  verb: 'CREATE' | 'ALTER',
  database: string,
  { policy, retentionMs, shardMs }: PolicySpec,
): string {
  const duration = `${Math.round(retentionMs / SECOND_MS)}s`;
  const shard = `${Math.round(shardMs / SECOND_MS)}s`;
  const isDefault = policy === RAW_POLICY ? ' DEFAULT' : '';
  return (
    `${verb} RETENTION POLICY ${quoteName(policy)} ON ${quoteName(database)} ` +
    `DURATION ${duration} REPLICATION 1 SHARD DURATION ${shard}${isDefault}`
  );
}

/** A bucket's address, by organization and name. */
export function bucketQuery(org: string, database: string, policy: Policy): string {
  return `/api/v2/buckets?${new URLSearchParams({ org, name: `${database}/${policy}` })}`;
}

/** For messages: a text from the server, quoted and cut. */
export function said(error: string): string {
  return `says ${quoteText(error.slice(0, 200))}`;
}
