import { Client } from 'pg';
import type { StoreNames } from './distributed-stores.ts';

/** What lies in each store, asked of the servers themselves. */
export interface Stored {
  readonly logs: number;
  readonly batches: number;
  readonly points: number;
  readonly facts: number;
  readonly charges: number;
}

async function json<T>(url: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Documents of all indices. */
async function countLogs({ url, indexPrefix }: StoreNames['logs']): Promise<number> {
  await json(`${url}/${indexPrefix}-*/_refresh`, { method: 'POST' });
  return (await json<{ count: number }>(`${url}/${indexPrefix}-*/_count`)).count;
}

interface Rows {
  readonly results: { readonly series?: { readonly values: [number, number][] }[] }[];
}

async function countPoints(
  { url, database }: StoreNames['metrics'],
  field: string,
  measurement: string,
): Promise<number> {
  const q = `SELECT count("${field}") FROM "raw"."${measurement}"`;
  const query = new URLSearchParams({ db: database, epoch: 'ms', q });
  const { results } = await json<Rows>(`${url}/query?${query}`);
  return results[0]?.series?.[0]?.values[0]?.[1] ?? 0;
}

async function ask(url: string, statement: string): Promise<object[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function countRows({ url, schema }: StoreNames['ledger'], table: string): Promise<number> {
  const rows = await ask(url, `SELECT count(*) AS n FROM ${schema}.${table}`);
  return Number((rows[0] as { n: string }).n);
}

/** How far collectors have read, thrown away. */
export async function forgetCheckpoints({ url, schema }: StoreNames['ledger']): Promise<void> {
  await ask(url, `TRUNCATE ${schema}.checkpoint, ${schema}.source_checkpoint`);
}

export const countOf: Readonly<Record<keyof Stored, (stores: StoreNames) => Promise<number>>> = {
  logs: ({ logs }) => countLogs(logs),
  batches: ({ metrics }) => countPoints(metrics, 'batch_id', 'streaming_query'),
  points: ({ metrics }) => countPoints(metrics, 'executor.runTime.count', 'spark'),
  facts: ({ ledger }) => countRows(ledger, 'fact'),
  charges: ({ ledger }) => countRows(ledger, 'charge'),
};
