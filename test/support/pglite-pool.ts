import { PGlite } from '@electric-sql/pglite';
import type { PostgresPoolClient } from 'kysely';
import type { Connections } from '../../shared/stores/sql/postgres-pool.ts';
import { withoutNul } from '../../shared/stores/sql/without-nul.ts';

const INT8 = 20;

let server: Promise<PGlite> | undefined;
let schemas = 0;
/** One at a time, since PGlite is one session: who is lent it holds it until it is given back. */
let last: Promise<void> = Promise.resolve();

async function borrow(): Promise<{ server: PGlite; giveBack: () => void }> {
  server ??= PGlite.create({ parsers: { [INT8]: (text) => BigInt(text) } });
  const before = last;
  const { promise, resolve } = Promise.withResolvers<void>();
  last = promise;
  await before;
  return { server: await server, giveBack: resolve };
}

/** The name of a schema that no test has used. */
export function freshSchema(): string {
  schemas += 1;
  return `test_${schemas}`;
}

/**
 * PostgreSQL's dialect in the process: one server for all tests of a file, one session. It shows
 * what SQL means, not what several writers do to each other, nor that anything is durable.
 */
export function pglitePool(schema: string): Connections {
  const connect = async (): Promise<PostgresPoolClient> => {
    const lent = await borrow();
    const query = async (text: string, parameters: readonly unknown[]) => {
      const result = await lent.server.query(text, parameters.map(withoutNul));
      const [command = ''] = text.trim().toUpperCase().split(/\s/);
      return { command, rows: result.rows, rowCount: result.affectedRows ?? 0 };
    };
    await query(`SET search_path TO ${schema}`, []);
    return { query, release: lent.giveBack } as unknown as PostgresPoolClient;
  };
  return {
    where: 'pglite',
    options: {},
    connect,
    read: async <R>({ text }: { readonly text: string }, parameters: readonly unknown[]) => {
      const client = await connect();
      try {
        const { rows } = await client.query<R>(text, parameters);
        return rows;
      } finally {
        client.release();
      }
    },
    end: async () => undefined,
  };
}
