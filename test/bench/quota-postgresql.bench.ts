import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { postgresConfig } from '../../shared/stores/sql/config.ts';
import { startDistributedStores } from '../services/support/distributed-stores.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { ChargingLoad } from './support/charging-load.ts';
import { LedgerObserver, type Observed } from './support/ledger-observer.ts';
import type { OpenLoad } from './support/open-loop.ts';

const HERE = import.meta.dirname;
const SECONDS = Number(process.env['TOLLGATE_BENCH_QUOTA_SECONDS'] ?? 10);
const RATE = Number(process.env['TOLLGATE_BENCH_QUOTA_RATE'] ?? 2_000);
const RUNNING = Number(process.env['TOLLGATE_BENCH_QUOTA_CONTAINERS'] ?? 2_000);
const PROJECTS = 200;
const TURNOVER_A_SECOND = 50;
const SETTLE_INTERVAL_MS = 100;
const ALONE_MS = 5_000;

type Print = (line: string) => void;

async function load(url: string): Promise<OpenLoad> {
  const args = [url, RATE, SECONDS, PROJECTS].map(String);
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

async function emptyRoute(): Promise<{ url: string; child: ChildProcess } & AsyncDisposable> {
  const child = spawn(process.execPath, [resolve(HERE, 'express-route.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = await once(child.stdout, 'data');
  return {
    url: `http://127.0.0.1:${String(chunk).trim()}/nothing`,
    child,
    [Symbol.asyncDispose]: async () => {
      child.kill();
    },
  };
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;

function told(name: string, { result }: { readonly result: OpenLoad }): string {
  const { perSecond, p50, p99, p999, max, failures } = result;
  const failed = failures > 0 ? `  FAILURES ${failures}` : '';
  return `${name.padEnd(26)} ${Math.round(perSecond)}/s  p50 ${ms(p50)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)}${failed}`;
}

const coresTold = ({ cores }: Observed): string =>
  Object.entries(cores)
    .map(([name, share]) => `${name} ${(100 * share).toFixed(0)} %`)
    .join(', ');

/** CPU of a process for each request, beyond what it takes without them. */
function micros(name: string, busy: Observed & { result: OpenLoad }, alone: Observed): number {
  const share = (busy.cores[name] ?? Number.NaN) - (alone.cores[name] ?? Number.NaN);
  return Math.round((share * 1e6 * busy.seconds) / busy.result.requests);
}

/** At one rate and under one charging load: an empty route, the smallest statement, the check. */
async function compare(
  observer: LedgerObserver,
  urls: Record<'empty' | 'one' | 'quota', string>,
  print: Print,
): Promise<void> {
  const alone = await observer.during(() => wait(ALONE_MS));
  const empty = await observer.during(() => load(urls.empty));
  const one = await observer.during(() => load(urls.one));
  const quota = await observer.during(() => load(urls.quota));
  print(told('empty Express route', empty));
  print(told('SELECT 1, without HTTP', one));
  print(told('quota check', quota));
  print(
    `p99 ${ms(quota.result.p99)} (target 10 ms), ` +
      `${(quota.result.p99 / empty.result.p99).toFixed(2)} of the empty route's, ` +
      `${(quota.result.p99 / one.result.p99).toFixed(2)} of SELECT 1's`,
  );
  const { statements, statementMs, sessionCpuMs, seconds, settlements, charges, result } = quota;
  print(`of a core, charging alone: ${coresTold(alone)}`);
  print(`of a core, with checks: ${coresTold(quota)}`);
  print(
    `CPU of a check: serve ${micros('serve', quota, alone)} µs, ` +
      `PostgreSQL ${Math.round((1e3 * sessionCpuMs) / result.requests)} µs, sender ${Math.round(result.cpuMicros)} µs; ` +
      `of the empty route: Express ${micros('express', empty, alone)} µs`,
  );
  print(
    `${Math.round(statements / seconds)} statements/s of ${(result.requests / statements).toFixed(1)} checks, ` +
      `${(statementMs / statements).toFixed(3)} ms each in the server`,
  );
  print(
    `meanwhile ${(settlements / seconds).toFixed(1)} settlements/s, ` +
      `${Math.round(charges / seconds)} charges/s, ${RUNNING} containers running`,
  );
}

const loadAverage = (): string => `load average ${loadavg()[0]?.toFixed(1)}`;

/** Quota checks of `tollgate serve` while `tollgate meter` charges, on real servers. */
export async function run(print: Print): Promise<void> {
  const settings = { shared_preload_libraries: 'pg_stat_statements' };
  await using servers = await startDistributedStores({ postgresql: { settings } });
  await using folder = await temporaryFolder();
  const projects = Array.from({ length: PROJECTS }, (_, n) => ({
    id: `p${n}`,
    grants: [{ id: `g${n}`, credits: '1000000' }],
  }));
  const config = {
    stores: servers.stores,
    metering: { settleIntervalMs: SETTLE_INTERVAL_MS, projects },
  };
  const ledger = postgresConfig.parse(servers.stores.ledger);
  await using meter = await RunningTollgate.start(folder.path, config, 'meter');
  await using serve = await RunningTollgate.start(folder.path, config, 'serve');
  await using empty = await emptyRoute();
  const charging = { running: RUNNING, turnover: TURNOVER_A_SECOND, projects: PROJECTS };
  await using _charging = await ChargingLoad.start(ledger, charging);
  const postgresql = servers.postgresql.process?.pid;
  await using observer = await LedgerObserver.open(ledger, {
    ...{ serve: serve.pid, meter: meter.pid },
    ...(postgresql === undefined ? {} : { postgresql }),
    ...(empty.child.pid === undefined ? {} : { express: empty.child.pid }),
  });
  const urls = {
    empty: empty.url,
    one: servers.postgresql.url,
    quota: `${serve.url}/v1/quota-checks`,
  };
  for (const url of [urls.empty, urls.quota]) await load(url);
  print(loadAverage());
  await compare(observer, urls, print);
  print(loadAverage());
  // In order, so that a profile of it is written.
  await serve.stop();
}
