import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { freePort, RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

const HERE = import.meta.dirname;
const SECONDS = Number(process.env['TOLLGATE_BENCH_QUOTA_SECONDS'] ?? 10);
const CHECK = '{"project":"etl"}';
const LINES_A_SECOND = 10_000;
const POINTS_A_SECOND = 20_000;
const PROGRESS_A_SECOND = 500;
const STEPS_A_SECOND = 10;
const POSTS_IN_FLIGHT = 20;

interface Load {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly failures: number;
}

async function load(
  port: string,
  path: string,
  { connections, rate }: { connections: number; rate: number },
): Promise<Load> {
  const args = [port, path, CHECK, connections, SECONDS, rate].map(String);
  const child = spawn(process.execPath, [resolve(HERE, 'http-sender.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return JSON.parse(text) as Load;
}

async function emptyRoute(): Promise<{ port: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [resolve(HERE, 'express-route.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = await once(child.stdout, 'data');
  return { port: String(chunk).trim(), child };
}

/** Log lines, Graphite points and progress at the stated rates until the signal aborts. */
async function ingest(
  tollgate: RunningTollgate,
  place: { readonly logFile: string; readonly graphitePort: number },
  signal: AbortSignal,
): Promise<{ lines: number; points: number; progress: number; seconds: number }> {
  const sent = { lines: 0, points: 0, progress: 0 };
  const socket = connect({ host: '127.0.0.1', port: place.graphitePort });
  await once(socket, 'connect');
  const posts = new Set<Promise<unknown>>();
  const begin = performance.now();
  for (let step = 0; !signal.aborted; step += 1) {
    const now = new Date();
    const time = now.toISOString().slice(2, 19).replaceAll('-', '/').replace('T', ' ');
    let lines = '';
    for (let i = 0; i < LINES_A_SECOND / STEPS_A_SECOND; i += 1) {
      lines += `${time} INFO Executor: Finished task ${i}.0 in stage ${step}.0 (TID ${sent.lines + i}). 2048 bytes result sent to driver\n`;
    }
    let points = '';
    for (let i = 0; i < POINTS_A_SECOND / STEPS_A_SECOND; i += 1) {
      points += `app-20261121072159-0000.${i % 200}.executor.metric${i % 100}.count ${step} ${Math.floor(now.getTime() / 1_000)}\n`;
    }
    let progress = '';
    for (let i = 0; i < PROGRESS_A_SECOND / STEPS_A_SECOND; i += 1) {
      progress += `${JSON.stringify({ id: `q${i}`, runId: `r${i}`, name: `n${i}`, batchId: step, timestamp: now.toISOString(), numInputRows: 5, durationMs: { triggerExecution: 10 }, sources: [], sink: {} })}\n`;
    }
    socket.write(points);
    await appendFile(place.logFile, lines);
    // Answers come after a group commit: waiting for each would halve the rate.
    const posting = tollgate
      .post('/v1/ingest/progress', progress)
      .then((answer) => answer.arrayBuffer())
      .finally(() => posts.delete(posting));
    posts.add(posting);
    if (posts.size > POSTS_IN_FLIGHT) await Promise.race(posts);
    sent.lines += LINES_A_SECOND / STEPS_A_SECOND;
    sent.points += POINTS_A_SECOND / STEPS_A_SECOND;
    sent.progress += PROGRESS_A_SECOND / STEPS_A_SECOND;
    const wait = begin + ((step + 1) / STEPS_A_SECOND) * 1_000 - performance.now();
    if (wait > 0) await new Promise((next) => setTimeout(next, wait));
  }
  await Promise.all(posts);
  socket.destroy();
  return { ...sent, seconds: (performance.now() - begin) / 1_000 };
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;
const told = (name: string, { perSecond, p50, p99, max, failures }: Load): string =>
  `${name.padEnd(34)} ${Math.round(perSecond).toString().padStart(7)}/s  p50 ${ms(p50)}  p99 ${ms(p99)}  max ${ms(max)}${failures > 0 ? `  FAILURES ${failures}` : ''}`;

/** Quota checks beside an empty Express route: at full speed, and paced while records come in. */
export async function run(print: (line: string) => void): Promise<void> {
  await using folder = await temporaryFolder();
  const graphitePort = await freePort();
  const logFile = join(folder.path, 'logs', 'app-20261121072159-0000', '1', 'stderr');
  await mkdir(join(logFile, '..'), { recursive: true });
  await using tollgate = await RunningTollgate.start(folder.path, {
    logs: {
      files: [
        { paths: [join(folder.path, 'logs/{application}/{container}/stderr')], project: 'etl' },
      ],
    },
    metrics: { graphite: [{ port: graphitePort, project: 'etl' }] },
    metering: { projects: [{ id: 'etl', grants: [{ id: 'g', credits: '1000' }] }] },
  });
  const { port } = new URL(tollgate.url);
  const empty = await emptyRoute();
  try {
    const full = { connections: 32, rate: 0 };
    await load(empty.port, '/nothing', full);
    await load(port, '/v1/quota-checks', full);
    const emptyFull = await load(empty.port, '/nothing', full);
    const quotaFull = await load(port, '/v1/quota-checks', full);
    print(told('empty Express route, full speed', emptyFull));
    print(told('quota check, full speed', quotaFull));
    print(`ratio of rates ${(quotaFull.perSecond / emptyFull.perSecond).toFixed(2)} (target 0.7)`);

    const stop = new AbortController();
    const ingesting = ingest(tollgate, { logFile, graphitePort }, stop.signal);
    await new Promise((next) => setTimeout(next, 3_000));
    const paced = { connections: 8, rate: 200 };
    const emptyPaced = await load(empty.port, '/nothing', paced);
    const quotaPaced = await load(port, '/v1/quota-checks', paced);
    stop.abort();
    const sent = await ingesting;
    print(told('empty route, records coming in', emptyPaced));
    print(told('quota check, records coming in', quotaPaced));
    print(
      `p99 is ${(quotaPaced.p99 / emptyPaced.p99).toFixed(2)} of the empty route's (target: below 10 ms or 2.0)`,
    );
    const rate = (n: number): number => Math.round(n / sent.seconds);
    print(
      `came in meanwhile: ${rate(sent.lines)} lines/s, ${rate(sent.points)} points/s, ${rate(sent.progress)} events/s`,
    );
  } finally {
    empty.child.kill();
  }
}
