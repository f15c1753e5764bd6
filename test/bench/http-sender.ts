import { connect, type Socket } from 'node:net';

/**
 * A load of HTTP posts over kept-alive connections, as a process of its own. Prints one JSON line.
 * Latency is measured from when a request was due, so that a stall counts for all it held up.
 *
 * `node http-sender.ts PORT PATH BODY CONNECTIONS SECONDS RATE` (RATE 0: as fast as it goes)
 */
const [port = '', path = '/', body = '', connections = '1', seconds = '1', rate = '0'] =
  process.argv.slice(2);

const REQUEST =
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const latencies: number[] = [];
let failures = 0;

/** Length of the first whole answer in the text, or 0. */
function answerLength(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  return text.length >= head + 4 + length ? head + 4 + length : 0;
}

function exchange(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (answerLength(text) === 0) return;
      socket.off('data', take);
      resolve(text.startsWith('HTTP/1.1 200'));
    };
    socket.on('data', take);
    socket.write(REQUEST);
  });
}

const begin = performance.now();
const end = begin + Number(seconds) * 1_000;
const perConnection = Number(rate) / Number(connections);

async function run(index: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  await new Promise((resolve) => socket.once('connect', resolve));
  for (let n = 0; performance.now() < end; n += 1) {
    let due = performance.now();
    if (perConnection > 0) {
      due = begin + ((n + index / Number(connections)) / perConnection) * 1_000;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
    // A timer may come a little early; late it must count for all it held up.
    const from = Math.min(due, performance.now());
    const isFine = await exchange(socket);
    if (!isFine) failures += 1;
    latencies.push(performance.now() - from);
  }
  socket.destroy();
}

await Promise.all(Array.from({ length: Number(connections) }, (_, i) => run(i)));
latencies.sort((a, b) => a - b);
const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
const result = {
  perSecond: latencies.length / ((performance.now() - begin) / 1_000),
  p50: at(0.5),
  p99: at(0.99),
  max: at(1),
  failures,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
