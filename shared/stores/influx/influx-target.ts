import type { InfluxConfig } from './config.ts';

/** How a configured server is spoken to: 1.x by user and database, 2.x by token and buckets. */
export interface InfluxTarget {
  readonly isV2: boolean;
  /** Name in InfluxQL; in 2.x a mapping to the buckets. */
  readonly database: string;
  /** What follows `Token` in the header; empty without authentication. */
  readonly token: string;
  readonly org: string;
}

export const RAW_POLICY = 'raw';
export const LONG_POLICY = 'long';
export type Policy = typeof RAW_POLICY | typeof LONG_POLICY;

export function influxTarget(config: InfluxConfig): InfluxTarget {
  const isV2 = config.token !== '';
  const login = config.username === '' ? '' : `${config.username}:${config.password}`;
  return {
    isV2,
    database: isV2 ? config.bucket : config.database,
    token: isV2 ? config.token : login,
    org: isV2 ? config.org : '',
  };
}

/** Address of the server as it may be shown: without user, password and query. */
export function shownServer(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'the address' : `${parsed.origin}${parsed.pathname.replace(/\/$/, '')}`;
}
