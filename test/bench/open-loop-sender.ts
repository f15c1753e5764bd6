import { connect, type Socket } from 'node:net';
import { postgresConfig } from '../../shared/stores/sql/config.ts';
import { openPostgresPool } from '../../shared/stores/sql/postgres-pool.ts';
import { openLoop } from './support/open-loop.ts';

/**
 * A load at an even average rate, as a process of its own. Prints one JSON line (OpenLoad).
 *
 * `node open-loop-sender.ts URL RATE SECONDS PROJECTS`: posts quota checks of that many projects to
 * an http URL over kept-alive connections; sends `SELECT 1` to a postgresql one through a pool. With
 * `check` or `hold` as a fifth argument, URL is that of a Tollgate; each hold has an id of its own.
 */
const [given = '', rate = '1', seconds = '1', projects = '1', what = ''] = process.argv.slice(2);
const target = what === 'check' ? `${given}/v1/quota-checks` : given;
const run = `${process.pid}-${Math.random().toString(36).slice(2)}`;

const CONNECTIONS = 64;

function postOf(url: string, json: object): string {
  const { host, pathname } = new URL(url);
  const body = JSON.stringify(json);
  return (
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

function requestOf(n: number): string {
  const project = `p${n % Number(projects)}`;
  if (what !== 'hold') return postOf(target, { project });
  return postOf(`${target}/v1/projects/${project}/reservations`, {
    ...{ id: `${run}-${n}`, application: 'nightly', maxCost: '1.25', leaseSeconds: 600 },
    resources: { cores: 4, memoryMib: 16_384, gpus: 0, executors: 2 },
  });
}

/** Whether the text is a whole answer. */
function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  return text.length >= head + 4 + length;
}

function exchange(socket: Socket, request: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let text = '';
    const lost = (): void => reject(new Error(`${target} closed a connection without an answer`));
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!isWhole(text)) return;
      socket.off('data', take).off('close', lost);
      resolve(/^HTTP\/1.1 20[01]/.test(text));
    };
    if (socket.destroyed) return lost();
    socket.on('data', take).once('close', lost);
    socket.write(request);
  });
}

/** Posts over whatever connection is free; who finds none waits for one. */
async function poster(): Promise<{ send: (n: number) => Promise<boolean>; end: () => void }> {
  const { hostname: host, port } = new URL(target);
  const kept = Array.from({ length: Number(projects) }, (_, n) => requestOf(n));
  let sent = 0;
  const next = (n: number): string => {
    sent += 1;
    return what === 'hold' ? requestOf(sent) : (kept[n % kept.length] ?? '');
  };
  const sockets = Array.from({ length: CONNECTIONS }, () =>
    connect({ host, port: Number(port), noDelay: true }).on('error', (error) => {
      process.stderr.write(`${target}: ${error.message}\n`);
    }),
  );
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done))));
  const free = [...sockets];
  const waiting: ((socket: Socket) => void)[] = [];
  const send = async (n: number): Promise<boolean> => {
    // The one that rested longest, so that none is idle until the server closes it.
    const socket = free.shift() ?? (await new Promise<Socket>((next) => waiting.push(next)));
    try {
      return await exchange(socket, next(n));
    } finally {
      const waiter = waiting.shift();
      if (waiter === undefined) free.push(socket);
      else waiter(socket);
    }
  };
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return { send, end };
}

function selector(): { send: () => Promise<boolean>; end: () => void } {
  const pool = openPostgresPool(postgresConfig.parse({ url: target }));
  const one = { name: 'one', text: 'SELECT 1 AS one' };
  const send = async (): Promise<boolean> => (await pool.read(one, [])).length === 1;
  return { send, end: () => void pool.end() };
}

const { send, end } = target.startsWith('http') ? await poster() : selector();
const pace = { rate: Number(rate), random: Math.random };
await openLoop({ ...pace, rate: Number(rate) / 4, seconds: 1 }, send);
const load = await openLoop({ ...pace, seconds: Number(seconds) }, send);
end();
process.stdout.write(`${JSON.stringify(load)}\n`);
