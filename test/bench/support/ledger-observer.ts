import { Client } from 'pg';
import type { PostgresConfig } from '../../../shared/stores/sql/config.ts';
import { QUOTA } from '../../../shared/stores/sql/postgres-quota.ts';
import { cpuMsOf } from './cpu-time.ts';

/** What was counted in a span of time. */
export interface Observed {
  readonly seconds: number;
  /** CPU of each process, as a share of one core. */
  readonly cores: Readonly<Record<string, number>>;
  /** Transactions that moved the meter's cursor. */
  readonly settlements: number;
  readonly charges: number;
  /** Statements that answer quota checks, and how long the server worked on them. */
  readonly statements: number;
  readonly statementMs: number;
  /** CPU of the sessions that answer them, in ms; NaN where the server is elsewhere. */
  readonly sessionCpuMs: number;
}

const IS_QUOTA = `%${QUOTA.text.trim().slice(-60)}%`;

type Counts = Record<'settlements' | 'charges' | 'statements' | 'statementMs', number>;

/** Reads the counters of PostgreSQL (with pg_stat_statements loaded) and of processes. */
export class LedgerObserver implements AsyncDisposable {
  readonly #client: Client;
  readonly #schema: string;
  readonly #pids: Readonly<Record<string, number>>;

  private constructor(client: Client, schema: string, pids: Readonly<Record<string, number>>) {
    this.#client = client;
    this.#schema = schema;
    this.#pids = pids;
  }

  static async open(
    { url, schema }: PostgresConfig,
    pids: Readonly<Record<string, number>>,
  ): Promise<LedgerObserver> {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    return new LedgerObserver(client, schema, pids);
  }

  async #counts(): Promise<Counts> {
    const { rows } = await this.#client.query<Counts>(
      `SELECT coalesce(sum(calls) FILTER (WHERE isQuota), 0)::float8 AS statements,
          coalesce(sum(total_exec_time) FILTER (WHERE isQuota), 0)::float8 AS "statementMs",
          coalesce(sum(calls) FILTER (WHERE query LIKE 'update "shard" set "cursor"%'), 0)::float8
            AS settlements,
          (SELECT count(*) FROM ${this.#schema}.charge)::float8 AS charges
        FROM pg_stat_statements, LATERAL (SELECT query LIKE $1 AS isQuota) AS what`,
      [IS_QUOTA],
    );
    const [counts] = rows;
    if (counts === undefined) throw new Error('PostgreSQL counted nothing');
    return counts;
  }

  /** CPU so far by session, a process each; a session that is made later began with nothing. */
  async #sessions(): Promise<Map<number, number> | undefined> {
    if (this.#pids['postgresql'] === undefined) return undefined;
    const { rows } = await this.#client.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()',
      [IS_QUOTA],
    );
    return new Map(rows.map(({ pid }) => [pid, cpuMsOf(pid)]));
  }

  #cpuMs(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.#pids).map(([name, pid]) => [name, cpuMsOf(pid)]),
    );
  }

  async during<T>(work: () => Promise<T>): Promise<Observed & { readonly result: T }> {
    const [before, sessions] = [await this.#counts(), await this.#sessions()];
    const [from, cpuFrom] = [performance.now(), this.#cpuMs()];
    const result = await work();
    const [elapsedMs, cpuUntil] = [performance.now() - from, this.#cpuMs()];
    const [after, sessionsAfter] = [await this.#counts(), await this.#sessions()];
    let sessionCpuMs = sessionsAfter === undefined ? Number.NaN : 0;
    for (const [pid, ms] of sessionsAfter ?? []) sessionCpuMs += ms - (sessions?.get(pid) ?? 0);
    const shares = Object.entries(cpuUntil).map(
      ([name, ms]) => [name, (ms - (cpuFrom[name] ?? 0)) / elapsedMs] as const,
    );
    return {
      result,
      seconds: elapsedMs / 1_000,
      cores: Object.fromEntries(shares),
      settlements: after.settlements - before.settlements,
      charges: after.charges - before.charges,
      statements: after.statements - before.statements,
      statementMs: after.statementMs - before.statementMs,
      sessionCpuMs,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.end();
  }
}
