import { readFileSync } from 'node:fs';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { Pool, type PoolClient, types } from 'pg';
import { AppError } from '../../errors/app-error.ts';
import { type PostgresConfig, printableUrl } from './config.ts';
import { breaksConnection, postgresError } from './postgres-error.ts';
import { withoutNul } from './without-nul.ts';

const INT8 = 20;
/** The server's own limit comes first, and says more; this one is for a server that stands still. */
const ANSWER_GRACE_MS = 2_000;

/** A statement that is parsed and planned once a connection. */
export interface NamedStatement {
  readonly name: string;
  readonly text: string;
}

/** What the stores need of a pool of connections; Kysely's PostgresDialect runs on it too. */
export interface Connections extends PostgresPool {
  /** Printable address, named in errors. */
  readonly where: string;
  read<R>(statement: NamedStatement, parameters: readonly unknown[]): Promise<R[]>;
}

/** Without the brackets of an IPv6 address. */
function hostOf({ url }: PostgresConfig): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

function ssl(config: PostgresConfig): false | { host: string; ca?: string } {
  const { tls, caFile } = config;
  if (!tls && caFile === undefined) return false;
  try {
    // The driver names no host where it is an address: Node would look for "localhost" in the
    // certificate.
    const host = hostOf(config);
    return { host, ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }) };
  } catch (error) {
    throw new AppError(
      'STORE_MISCONFIGURED',
      `PostgreSQL at ${printableUrl(config)}: caFile ${caFile} cannot be read; correct it`,
      { cause: error },
    );
  }
}

type Settings = Readonly<Record<string, string>>;

function sessionOptions(
  { schema, statementTimeoutMs, idleInTransactionTimeoutMs }: PostgresConfig,
  more: Settings,
): string {
  const settings = {
    ...more,
    search_path: schema,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

function newPool(config: PostgresConfig, settings: Settings): Pool {
  const url = new URL(config.url);
  const password = config.password ?? decodeURIComponent(url.password);
  return new Pool({
    host: hostOf(config),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username) || 'tollgate',
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(password === '' ? {} : { password }),
    ssl: ssl(config),
    max: config.poolSize,
    connectionTimeoutMillis: config.connectTimeoutMs,
    idleTimeoutMillis: config.idleTimeoutMs,
    query_timeout: config.statementTimeoutMs + ANSWER_GRACE_MS,
    keepAlive: true,
    application_name: 'tollgate',
    options: sessionOptions(config, settings),
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? BigInt : types.getTypeParser(oid, format as 'text'),
    },
  });
}

/** A connection while it is lent. A broken one fails at once and isn't lent again. */
class LentClient {
  readonly #client: PoolClient;
  readonly #where: string;
  #broken: unknown;
  readonly #onError = (error: Error): void => {
    this.#broken ??= error;
  };

  constructor(client: PoolClient, where: string) {
    this.#client = client;
    this.#where = where;
    client.on('error', this.#onError);
  }

  async query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    if (this.#broken !== undefined) throw postgresError(this.#broken, this.#where);
    try {
      const result: unknown = await this.#client.query(text, parameters.map(withoutNul));
      return result as PostgresQueryResult<R>;
    } catch (error) {
      if (breaksConnection(error)) this.#broken ??= error;
      throw postgresError(error, this.#where);
    }
  }

  release(destroy = false): void {
    this.#client.off('error', this.#onError);
    this.#client.release(destroy || this.#broken !== undefined);
  }
}

/**
 * Connections to PostgreSQL, made when they are needed. 64-bit integers are read as bigint; what
 * the world does to a connection is an AppError.
 *
 * @param settings of every session besides those of the configuration
 * @throws AppError STORE_MISCONFIGURED when caFile can't be read
 */
export function openPostgresPool(config: PostgresConfig, settings: Settings = {}): Connections {
  const where = printableUrl(config);
  const pool = newPool(config, settings);
  // A connection that dies while nobody uses it: the pool makes another one when it is needed.
  pool.on('error', () => undefined);
  let ended: Promise<void> | undefined;
  return {
    where,
    options: pool.options,
    connect: async () => {
      try {
        // Without Kysely's second form of `query`, with a cursor: no store reads a stream.
        return new LentClient(await pool.connect(), where) as unknown as PostgresPoolClient;
      } catch (error) {
        throw postgresError(error, where);
      }
    },
    read: async <R>(statement: NamedStatement, values: readonly unknown[]) => {
      try {
        const { rows } = await pool.query({ ...statement, values: values.map(withoutNul) });
        return rows as R[];
      } catch (error) {
        throw postgresError(error, where);
      }
    },
    end: () => {
      ended ??= pool.end();
      return ended;
    },
  };
}
