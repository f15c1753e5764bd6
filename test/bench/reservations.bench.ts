import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../../shared/runtime/clock.ts';
import { startPostgresql } from '../services/servers/postgresql.ts';
import { freshSchema } from '../services/support/postgres-schema.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { cpuMsOf } from './support/cpu-time.ts';
import { fillPostgres, fillSqlite } from './support/fill-charges.ts';
import type { OpenLoad } from './support/open-loop.ts';

const HERE = import.meta.dirname;
const SECONDS = Number(process.env['TOLLGATE_BENCH_RESERVATIONS_SECONDS'] ?? 10);
const RATE = Number(process.env['TOLLGATE_BENCH_RESERVATIONS_RATE'] ?? 2_000);
const CHARGES = Number(process.env['TOLLGATE_BENCH_RESERVATIONS_CHARGES'] ?? 200_000);
const ENGINE = process.env['TOLLGATE_BENCH_RESERVATIONS_ENGINE'] ?? 'both';
const PROJECTS = 200;
const CONTAINERS = 3_000;
const YEAR_OF_MONTHS = 12;
const TARGET_MS = 10;

type Print = (line: string) => void;

async function load(url: string, what: 'check' | 'hold', rate: number): Promise<OpenLoad> {
  const args = [url, rate, SECONDS, PROJECTS, what].map(String);
  const child = spawn(process.execPath, [resolve(HERE, 'open-loop-sender.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return JSON.parse(text) as OpenLoad;
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;

function told(name: string, { perSecond, p50, p99, p999, max, failures }: OpenLoad): string {
  const failed = failures > 0 ? `  FAILURES ${failures}` : '';
  return `${name.padEnd(34)} ${Math.round(perSecond)}/s  p50 ${ms(p50)}  p99 ${ms(p99)} (target ${TARGET_MS} ms)  p99.9 ${ms(p999)}  max ${ms(max)}${failed}`;
}

function size(engine: string, bytes: number): string {
  const year = (bytes * CHARGES * YEAR_OF_MONTHS) / 2 ** 30;
  return `${engine}: ${CHARGES} charges of ${Math.round(bytes)} bytes each, indices included; a year of such months takes ${year.toFixed(1)} GiB`;
}

const config = (stores: object): object => ({
  stores,
  metrics: { graphite: [] },
  metering: {
    projects: Array.from({ length: PROJECTS }, (_, n) => ({
      id: `p${n}`,
      grants: [{ id: `g${n}`, credits: '1000000' }],
      limits: { cores: 1_000_000 },
    })),
  },
});

interface Measured {
  readonly engine: string;
  readonly tollgate: RunningTollgate;
  /** Of PostgreSQL's own process, where there is one. */
  readonly database: number | undefined;
}

/** A load, and what it took of the processes that served it: the clock says less on a busy machine. */
async function one(
  { tollgate, engine, database }: Measured,
  what: 'check' | 'hold',
  print: Print,
): Promise<void> {
  const cpu = (): [number, number] => [
    cpuMsOf(tollgate.pid),
    database === undefined ? 0 : cpuMsOf(database),
  ];
  const [own, theirs] = cpu();
  const result = await load(tollgate.url, what, RATE);
  const [ownAfter, theirsAfter] = cpu();
  const micros = (ms: number): string => `${Math.round((1_000 * ms) / result.requests)} µs`;
  print(told(`${engine}: ${what}s`, result));
  const server = database === undefined ? '' : `, PostgreSQL ${micros(theirsAfter - theirs)}`;
  print(`CPU of a ${what}: Tollgate ${micros(ownAfter - own)}${server}`);
}

async function measure(measured: Measured, print: Print): Promise<void> {
  const { engine, tollgate } = measured;
  for (const what of ['check', 'hold'] as const) await load(tollgate.url, what, RATE / 4);
  for (const what of ['check', 'hold'] as const) await one(measured, what, print);
  const [checks, holds] = await Promise.all([
    load(tollgate.url, 'check', RATE / 2),
    load(tollgate.url, 'hold', RATE / 2),
  ]);
  print(told(`${engine}: half of each, checks`, checks));
  print(told(`${engine}: half of each, holds`, holds));
  print(`load average ${loadavg()[0]?.toFixed(1)}`);
  // In order, so that a profile of it is written.
  await tollgate.stop();
}

const fill = () => ({
  ...{ charges: CHARGES, projects: PROJECTS, containers: CONTAINERS },
  now: systemClock.now(),
});

/** Quota checks and holds of one Tollgate over HTTP, with many charges in its ledger. */
export async function run(print: Print): Promise<void> {
  if (ENGINE !== 'postgresql') {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'data'), { mode: 0o700 });
    print(size('sqlite', fillSqlite(join(folder.path, 'data', 'ledger.db'), fill())));
    await using tollgate = await RunningTollgate.start(folder.path, config({}));
    await measure({ engine: 'sqlite', tollgate, database: undefined }, print);
  }
  if (ENGINE !== 'sqlite') {
    await using server = await startPostgresql();
    await using folder = await temporaryFolder();
    const { url, schema } = await freshSchema(server);
    print(size('postgresql', await fillPostgres({ url, schema }, fill())));
    await using tollgate = await RunningTollgate.start(
      folder.path,
      config({ ledger: { url, schema } }),
    );
    const database = server.process?.pid;
    await measure({ engine: 'postgresql', tollgate, database }, print);
  }
}
