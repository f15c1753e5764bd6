import assert from 'node:assert/strict';
import { appendFile, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  applicationEnd,
  applicationStart,
  environment,
  executorAdded,
  executorRemoved,
  logStart,
} from '../../support/event-log-lines.ts';
import type { RunningTollgate } from '../../support/running-tollgate.ts';

export const PROJECT = 'etl';
const APPLICATION = 'application_1795248855005_0009';
const EVERY_MS = 400;
/** Of one round. */
const LINES = 40;
const PUSHED = 10;
const HOUR_MS = 3_600_000;
/** Answers that ask a sender to try again. */
const LATER = new Set([429, 500, 502, 503, 504, 507]);
const HEADERS = { 'tollgate-project': PROJECT };

/** What senders believe to have delivered. */
export interface Sent {
  readonly lines: number;
  readonly pushedLogs: number;
  readonly batches: number;
  readonly points: number;
  readonly executors: number;
}

const DOORS = ['logs', 'progress', 'metrics'] as const;
type Door = (typeof DOORS)[number];

const ndjson = (records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

/**
 * Records of every kind that roles take, round after round until it is stopped: log files, an event
 * log, and pushes that are sent until they are taken. Each has a number, so that it can be counted.
 */
export class SteadyLoad implements AsyncDisposable {
  readonly folder: string;
  readonly #begin: number;
  readonly #eventLog: string;
  readonly #logFile: string;
  readonly #over = new AbortController();
  readonly #givenUp = new AbortController();
  #rounds = 0;
  #running: Promise<unknown> = Promise.resolve();
  /** Pushes that were not taken at once. */
  refusals = 0;

  private constructor(folder: string) {
    this.folder = folder;
    // Two whole hours ago: the charges of a container lie in one hour or two, whenever it runs.
    this.#begin = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
    this.#eventLog = join(folder, 'events', `${APPLICATION}_1.inprogress`);
    this.#logFile = join(folder, 'logs', APPLICATION, 'container_1795248855005_0009_01_000002');
  }

  static async prepare(folder: string): Promise<SteadyLoad> {
    const load = new SteadyLoad(folder);
    await mkdir(join(folder, 'events'));
    await mkdir(load.#logFile, { recursive: true });
    const head = [
      logStart('3.5.6'),
      environment({ 'spark.master': 'yarn', 'spark.tollgate.project': PROJECT }),
      applicationStart(load.#begin, { 'App ID': APPLICATION, 'App Attempt ID': '1' }),
    ];
    await appendFile(load.#eventLog, `${head.join('\n')}\n`);
    return load;
  }

  /** As `tollgate.yaml` says it, without stores. */
  get config(): Readonly<Record<'logs' | 'metrics' | 'containers' | 'metering', object>> {
    return {
      logs: {
        files: [
          { paths: [join(this.folder, 'logs/{application}/{container}/stderr')], project: PROJECT },
        ],
      },
      metrics: { graphite: [] },
      containers: { clusters: [{ id: 'default', eventLogs: [join(this.folder, 'events')] }] },
      metering: { projects: [{ id: PROJECT, grants: [{ id: 'g', credits: '1000' }] }] },
    };
  }

  get sent(): Sent {
    return {
      lines: this.#rounds * LINES,
      pushedLogs: this.#rounds * PUSHED,
      batches: this.#rounds * PUSHED,
      points: this.#rounds * PUSHED,
      executors: this.#rounds,
    };
  }

  start(collect: RunningTollgate): void {
    this.#running = Promise.all([
      this.#appendRounds(),
      ...DOORS.map((door) => this.#pushRounds(collect, door)),
    ]);
  }

  /** No more rounds; resolves when everything was taken, and the application has ended. */
  async stop(): Promise<Sent> {
    this.#over.abort();
    await this.#running;
    await appendFile(this.#eventLog, `${applicationEnd(this.#begin + HOUR_MS)}\n`);
    await rename(this.#eventLog, this.#eventLog.replace('.inprogress', ''));
    return this.sent;
  }

  /** Nothing is sent any more, taken or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#givenUp.abort();
    await Promise.allSettled([this.#running]);
  }

  /** The bodies of a round, as they are pushed. */
  body(door: Door, round: number): string {
    const numbers = Array.from({ length: PUSHED }, (_, i) => round * PUSHED + i);
    const at = (n: number): string => new Date(this.#begin + n * 100).toISOString();
    switch (door) {
      case 'logs':
        return ndjson(
          numbers.map((n) => ({
            id: `push-${n}`,
            '@timestamp': at(n),
            level: 'WARN',
            message: `pushed${n}p`,
          })),
        );
      case 'metrics':
        return ndjson(
          numbers.map((n) => ({
            ...{ measurement: 'executor', field: 'runTime.count', at: this.#begin + n * 100 },
            ...{ tags: { application: APPLICATION, executor: '1' }, value: n },
          })),
        );
      case 'progress':
        return ndjson(
          numbers.map((n) => ({
            ...{ id: '73a0e105-ef90-42e8-a7c0-7262bb60f730' },
            ...{ runId: '136d37de-27a1-4773-8f81-bd2f625e90e8', name: 'orders' },
            ...{ timestamp: at(n), batchId: n, batchDuration: 50, numInputRows: n },
            ...{ durationMs: { triggerExecution: 50 }, sources: [], application: APPLICATION },
            sink: { description: 'x', numOutputRows: -1 },
          })),
        );
    }
  }

  /** Every push once more, as a sender does that heard no answer. */
  async pushAgain(collect: RunningTollgate): Promise<void> {
    for (const door of DOORS) {
      for (let round = 0; round < this.#rounds; round += 1) {
        assert.ok(await this.#push(collect, door, round), `${door} ${round}`);
      }
    }
  }

  async #push(collect: RunningTollgate, door: Door, round: number): Promise<boolean> {
    try {
      const answer = await collect.post(`/v1/ingest/${door}`, this.body(door, round), HEADERS);
      const said = await answer.text();
      if (answer.status === 200) return true;
      assert.ok(LATER.has(answer.status), `${door}: ${answer.status} ${said}`);
      return false;
    } catch (error) {
      // So fetch tells that there was no answer.
      if (error instanceof TypeError) return false;
      throw error;
    }
  }

  async #appendRounds(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const round = this.#rounds;
      await appendFile(join(this.#logFile, 'stderr'), this.#lines(round));
      const executor = String(round + 1);
      const start = this.#begin + round * 1_000;
      const container = `container_1795248855005_0009_01_${String(round + 2).padStart(6, '0')}`;
      const info = { Attributes: { CONTAINER_ID: container } };
      const life = [
        executorAdded(start, executor, info),
        executorRemoved(start + 1_000_000, executor),
      ];
      await appendFile(this.#eventLog, `${life.join('\n')}\n`);
      this.#rounds = round + 1;
      await wait(EVERY_MS);
    }
  }

  #lines(round: number): string {
    const time = new Date(this.#begin).toISOString().slice(2, 19);
    const stamp = time.replaceAll('-', '/').replace('T', ' ');
    return Array.from({ length: LINES }, (_, i) => round * LINES + i)
      .map((n) => `${stamp} INFO Executor: unique${n}n finished\n`)
      .join('');
  }

  /** One door's rounds in their order, each until it is taken. */
  async #pushRounds(collect: RunningTollgate, door: Door): Promise<void> {
    let round = 0;
    while (!this.#over.signal.aborted || round < this.#rounds) {
      if (this.#givenUp.signal.aborted) return;
      if (round >= this.#rounds) await wait(EVERY_MS / 4);
      else if (await this.#push(collect, door, round)) round += 1;
      else {
        this.refusals += 1;
        await wait(EVERY_MS);
      }
    }
  }
}
