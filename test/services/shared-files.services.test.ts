import assert from 'node:assert/strict';
import { appendFile, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { must } from '../../shared/errors/assert.ts';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { type DistributedStores, startDistributedStores } from './support/distributed-stores.ts';

const LEASE_MS = 5_000;
/** The stated limit is three leases. */
const TAKE_OVER_MS = 3 * 3 * LEASE_MS;
const STREAMS = 24;
const PAUSE_MS = 150;

let servers: DistributedStores;
before(async () => {
  servers = await startDistributedStores();
});
after(async () => servers?.[Symbol.asyncDispose]());

/** Applications that write their logs to one folder. */
class Writers {
  readonly written: string[] = [];
  readonly #folder: string;
  readonly #stop = new AbortController();
  #rotations = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A line to each stream; they say which ones. */
  async round(): Promise<string[]> {
    const names: string[] = [];
    for (let stream = 0; stream < STREAMS; stream += 1) {
      const folder = join(this.#folder, `app_${stream}`);
      await mkdir(folder, { recursive: true });
      const name = `line${this.written.length}n`;
      this.written.push(name);
      names.push(name);
      const text = `26/11/21 07:00:00 INFO File: ${name}\n\tat ${name}.trace\n`;
      await appendFile(join(folder, 'stderr.log'), text);
    }
    return names;
  }

  async rotate(): Promise<void> {
    this.#rotations += 1;
    for (let stream = 0; stream < STREAMS; stream += 1) {
      const path = join(this.#folder, `app_${stream}`, 'stderr.log');
      await rename(path, `${path}.${this.#rotations}`).catch(() => undefined);
    }
  }

  start(): void {
    const run = async (): Promise<void> => {
      while (!this.#stop.signal.aborted) {
        await this.round();
        await wait(PAUSE_MS);
      }
    };
    this.#writing = run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
  }
}

/** Each stored line's name, as often as it is stored. */
async function storedNames(): Promise<string[]> {
  const { logs } = servers.stores as unknown as { logs: { url: string; indexPrefix: string } };
  const index = `${logs.url}/${logs.indexPrefix}-*`;
  await fetch(`${index}/_refresh`, { method: 'POST' });
  const names: string[] = [];
  for (let after: unknown[] | undefined; ; ) {
    const response = await fetch(`${index}/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        size: 5_000,
        _source: ['message'],
        query: { term: { project: 'etl' } },
        sort: ['at', 'order'],
        ...(after && { search_after: after }),
      }),
    });
    const body = (await response.json()) as {
      hits?: { hits: { _source: { message: string }; sort: unknown[] }[] };
    };
    const hits = must(body.hits, `Elasticsearch said ${JSON.stringify(body)}`).hits;
    if (hits.length === 0) return names;
    for (const { _source } of hits) {
      const [, name = '', trace] = /^(\S+)\n\tat (\S+)\.trace$/.exec(_source.message) ?? [];
      assert.equal(trace, name, `an event is whole: ${_source.message}`);
      names.push(name);
    }
    after = hits.at(-1)?.sort;
  }
}

async function shards(tollgate: RunningTollgate): Promise<number> {
  const text = await (await fetch(`${tollgate.url}/metrics`)).text();
  return Number(/^tollgate_shared_file_shards\{collector="logs"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

test('collectors on one folder: one comes, one is killed, one sleeps; each line is stored once', async (t) => {
  await using folder = await temporaryFolder();
  const logs = join(folder.path, 'logs');
  const writers = new Writers(logs);
  const collect = async (name: string): Promise<RunningTollgate> => {
    const own = join(folder.path, name);
    await mkdir(own);
    const files = [{ paths: [`${logs}/{application}/stderr.log`], project: 'etl', shared: true }];
    const config = {
      stores: servers.stores,
      process: name,
      logs: { files, sharedLeaseMs: LEASE_MS },
      metrics: { graphite: [{ port: 0, project: 'etl' }] },
    };
    return await RunningTollgate.start(own, config, 'collect');
  };
  /** Until the lines are stored, from now. */
  const stored = async (asked: RunningTollgate, names: readonly string[], what: string) => {
    const begin = performance.now();
    await asked.until(
      async () => {
        const found = new Set(await storedNames());
        return names.filter((name) => !found.has(name)).length;
      },
      (missing) => missing === 0,
      TAKE_OVER_MS,
    );
    t.diagnostic(`${what}: ${Math.round(performance.now() - begin)} ms`);
  };
  const shared = async (...all: readonly RunningTollgate[]) => {
    const begin = performance.now();
    const counts = await must(all[0], 'a collector').until(
      () => Promise.all(all.map(shards)),
      (held) => held.reduce((sum, one) => sum + one, 0) === 32 && held.every((one) => one > 0),
      TAKE_OVER_MS,
    );
    t.diagnostic(`shared ${counts.join(' + ')} after ${Math.round(performance.now() - begin)} ms`);
  };

  await writers.round();
  await using a = await collect('a');
  await using b = await collect('b');
  await shared(a, b);
  writers.start();
  await stored(a, await writers.round(), 'two collectors, nothing happens');

  await using c = await collect('c');
  await writers.rotate();
  await shared(a, b, c);
  await writers.rotate();
  await stored(c, await writers.round(), 'a third has come, all files were rotated');

  await a.kill();
  await writers.rotate();
  await stored(b, await writers.round(), `one was killed, with leases of ${LEASE_MS} ms`);

  b.pause();
  await writers.rotate();
  await stored(c, await writers.round(), `one sleeps, with leases of ${LEASE_MS} ms`);
  b.resume();
  await shared(b, c);
  await stored(c, await writers.round(), 'it woke up');

  await writers.stop();
  await stored(c, writers.written, 'all lines');
  assert.deepEqual(await Promise.all([b.stop(), c.stop()]), [0, 0]);
  const names = await storedNames();
  assert.equal(names.length, writers.written.length);
  assert.deepEqual(names.toSorted(), writers.written.toSorted());
  t.diagnostic(`${names.length} lines, each once`);
});
