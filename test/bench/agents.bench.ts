import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { RestIngest } from '../../shared/contracts/rest.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { startDistributedStores } from '../services/support/distributed-stores.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { cpuMsOf } from './support/cpu-time.ts';

const option = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const DRIVERS = option('BENCH_AGENTS_DRIVERS', 200);
const EXECUTORS = option('BENCH_AGENTS_EXECUTORS', 50);
const SECONDS = option('BENCH_AGENTS_SECONDS', 40);
const BEAT_MS = 10_000;
const CORES = 0.5;
const PACKED = { 'content-encoding': 'gzip', 'tollgate-cluster': 'main' };

const application = (driver: number): string => `application_1_${String(driver).padStart(4, '0')}`;
const container = (driver: number, n: number): string => `${application(driver)}//${n}`;
const ndjson = (lines: readonly object[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(gzipSync(lines.map((line) => JSON.stringify(line)).join('\n')));

/** What an agent sends when its application begins. */
function beginning(driver: number, at: number): object[] {
  const of = { application: application(driver), attempt: '', at };
  const seen = { id: `${of.application}/seen`, name: 'bench', user: 'u', queue: '', url: '' };
  const resources = { millicores: 4_000, memoryMib: 8_192, gpus: 0 };
  return [
    { kind: 'application-seen', ...of, ...seen, project: `p${driver % 20}`, tags: {} },
    ...Array.from({ length: EXECUTORS }, (_, n) => ({
      ...{ kind: 'container-started', ...of, resources, host: 'h', reason: '' },
      ...{ id: `${container(driver, n)}/started`, container: container(driver, n) },
      role: 'executor',
    })),
  ];
}

/** Counts what the agents were answered. */
class Agents {
  readonly #tollgate: RunningTollgate;
  lines = 0;
  taken = 0;
  beats = 0;
  slowestMs = 0;

  constructor(tollgate: RunningTollgate) {
    this.#tollgate = tollgate;
  }

  async push(collector: string, lines: readonly object[]): Promise<void> {
    const answer = await this.#tollgate.post(`/v1/ingest/${collector}`, ndjson(lines), PACKED);
    if (!answer.ok) throw new Error(`${collector}: ${answer.status} ${await answer.text()}`);
    const { stored, duplicates } = (await answer.json()) as RestIngest;
    this.lines += lines.length;
    this.taken += stored + duplicates;
  }

  /** Sights of its executors, its totals, then the heartbeat, as the agent's one thread does it. */
  async beat(driver: number): Promise<void> {
    const start = systemClock.elapsed();
    const at = systemClock.now();
    const of = { application: application(driver) };
    const seen = Array.from({ length: EXECUTORS }, (_, n) => ({
      ...{ kind: 'seen', ...of, container: container(driver, n), until: at },
    }));
    await this.push('containers', seen);
    const total = { measurement: 'spark_activity', field: 'tasks', at, value: start };
    await this.push('metrics', [{ ...total, tags: of }]);
    const heartbeat = { protocol: 1, ...of, at, containers: EXECUTORS };
    const json = { 'content-type': 'application/json', 'tollgate-cluster': 'main' };
    const path = '/v1/ingest/heartbeats';
    const answer = await this.#tollgate.post(path, JSON.stringify(heartbeat), json);
    if (!answer.ok) throw new Error(`heartbeats: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    this.beats += 1;
    this.slowestMs = Math.max(this.slowestMs, systemClock.elapsed() - start);
  }

  /** Beats every 10 s, from a moment of its own on. */
  async live(driver: number, signal: AbortSignal): Promise<void> {
    await systemClock.sleep((driver * BEAT_MS) / DRIVERS, signal);
    while (!signal.aborted) {
      const start = systemClock.elapsed();
      await this.beat(driver);
      await systemClock.sleep(Math.max(0, start + BEAT_MS - systemClock.elapsed()), signal);
    }
  }
}

/** The heartbeats of the agents of many drivers, taken by one `tollgate collect`. */
export async function run(print: (line: string) => void): Promise<void> {
  await using distributed = await startDistributedStores();
  await using folder = await temporaryFolder();
  const config = { stores: distributed.stores, metrics: { graphite: [] } };
  await using tollgate = await RunningTollgate.start(folder.path, config, 'collect');
  const agents = new Agents(tollgate);
  const at = systemClock.now();
  for (let driver = 0; driver < DRIVERS; driver += 1) {
    await agents.push('containers', beginning(driver, at));
  }
  const over = new AbortController();
  const living = Array.from({ length: DRIVERS }, (_, n) => agents.live(n, over.signal));
  await wait(BEAT_MS);
  const before = { cpuMs: cpuMsOf(tollgate.pid), beats: agents.beats, at: systemClock.elapsed() };
  await Promise.race([wait(SECONDS * 1_000), Promise.all(living)]);
  const cpuMs = cpuMsOf(tollgate.pid) - before.cpuMs;
  const elapsedMs = systemClock.elapsed() - before.at;
  const beats = agents.beats - before.beats;
  over.abort();
  await Promise.all(living);
  print(
    `${DRIVERS} agents with ${EXECUTORS} executors each, a beat every ${BEAT_MS / 1_000} s: ` +
      `${(cpuMs / elapsedMs).toFixed(3)} of a core (target ${CORES}), ` +
      `${((beats * EXECUTORS * 1_000) / elapsedMs).toFixed(0)} executors' heartbeats/s`,
  );
  print(
    `${agents.taken} of ${agents.lines} lines taken; slowest beat ${agents.slowestMs.toFixed(0)} ms; ` +
      `RSS ${Math.round(tollgate.peakMemoryBytes() / 1e6)} MB`,
  );
}
