import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { ownWrites } from './own-writes.ts';
import { isLocked, sqliteError } from './sqlite-error.ts';

/** Statements kept prepared. Lists of values make many texts, so that the least used must go. */
const STATEMENTS_MAX = 200;

/** A lock that another connection holds is asked for this often, for 5 s in all. */
const BEGIN_WAIT_MS = 2;
const BEGIN_ATTEMPTS = 2_500;

/** Whether a statement surely writes nothing: a write that returns rows has columns too. */
function isRead(sql: string): boolean {
  return /^\s*select\b/i.test(sql);
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #own: { writes: number };
  /** In order of last use. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.#own = ownWrites(database);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      const [oldest] = this.#statements.keys();
      if (this.#statements.size >= STATEMENTS_MAX && oldest !== undefined) {
        this.#statements.delete(oldest);
      }
    } else {
      this.#statements.delete(sql);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.#prepare(query.sql);
      const parameters = query.parameters as readonly SQLInputValue[];
      if (!isRead(query.sql)) this.#own.writes += 1;
      if (statement.columns().length > 0) {
        return { rows: statement.all(...parameters) as R[] };
      }
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return {
        rows: [],
        insertId: BigInt(lastInsertRowid),
        numAffectedRows: BigInt(changes),
      };
    } catch (error) {
      throw sqliteError(error, this.#file);
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  forget(): void {
    this.#statements.clear();
  }
}

/**
 * One connection, handed to one transaction or query at a time: a second transaction on it would
 * join the first, and a failure of either would roll back both.
 */
class SqliteConnectionDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: SqliteConnection;
  readonly #file: string;
  #busyTimeoutMs: number | undefined;
  #last: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#connection = new SqliteConnection(database, file);
    this.#file = file;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    this.#release = resolve;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  /**
   * IMMEDIATE: a lock taken only at the first write may find that another has written, and fail.
   * While another connection has it, the thread goes on with what else it serves: SQLite's own wait
   * would hold up every quota check for as long as a settlement takes.
   */
  async beginTransaction(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#tryToBegin();
        return;
      } catch (error) {
        if (!isLocked(error) || attempt === BEGIN_ATTEMPTS) throw sqliteError(error, this.#file);
        await wait(BEGIN_WAIT_MS);
      }
    }
  }

  #tryToBegin(): void {
    this.#busyTimeoutMs ??= Number(
      this.#database.prepare('PRAGMA busy_timeout').get()?.['timeout'],
    );
    this.#database.exec('PRAGMA busy_timeout = 0');
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      ownWrites(this.#database).writes += 1;
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`);
    }
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw('COMMIT'));
  }

  async rollbackTransaction(): Promise<void> {
    // A full disk has rolled back already.
    if (!this.#database.isTransaction) return;
    await this.#connection.executeQuery(CompiledQuery.raw('ROLLBACK'));
  }

  async destroy(): Promise<void> {
    this.#connection.forget();
    if (this.#database.isOpen) this.#database.close();
  }
}

/**
 * Kysely on node:sqlite. Integers are read as bigint, since amounts pass 2^53.
 *
 * @param file named in errors
 */
export function sqliteDialect(database: DatabaseSync, file: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteConnectionDriver(database, file),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
