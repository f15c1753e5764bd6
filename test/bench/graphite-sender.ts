// Sends Graphite lines to a port, at a pace or as fast as they are taken, then exits.
// Arguments: port, points per second (0: no pace), seconds, series, first second of the points.
import { once } from 'node:events';
import { connect } from 'node:net';

const [port = 0, rate = 0, seconds = 1, series = 1, firstSecond = 0] = process.argv
  .slice(2)
  .map(Number);
const METRICS = 200;

const names = Array.from({ length: series }, (_, i) => {
  const executor = Math.floor(i / METRICS) % 50;
  const application = `app-20261121072159-${String(Math.floor(i / METRICS / 50)).padStart(4, '0')}`;
  return `prod.${application}.${executor}.executor.shuffleRemoteBytesReadMetric${i % METRICS}.count `;
});

/** One report of every series; times rise by a second with each. */
function report(tick: number): Buffer {
  const at = ` ${firstSecond + tick}\n`;
  let text = '';
  for (let i = 0; i < names.length; i += 1) {
    // Of four metrics one is a constant, two are counters and one a mean with two decimals.
    const value =
      i % 4 === 0
        ? `${i}`
        : i % 4 === 1
          ? (((tick * 7 + i) % 1000) / 7).toFixed(2)
          : `${i * 1000 + tick * (i % 97)}`;
    text += (names[i] ?? '') + value + at;
  }
  return Buffer.from(text, 'latin1');
}

const socket = connect(port, '127.0.0.1');
socket.resume();
await once(socket, 'connect');
const reports = Math.ceil((rate === 0 ? 1_000_000 : rate * seconds) / series);
const start = performance.now();
for (let tick = 0; tick < reports; tick += 1) {
  const bytes = report(tick);
  const due = rate === 0 ? 0 : start + (tick * series * 1000) / rate;
  const wait = due - performance.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  if (!socket.write(bytes)) await once(socket, 'drain');
}
socket.end();
await once(socket, 'close');
process.stdout.write(
  `${JSON.stringify({ points: reports * series, ms: performance.now() - start })}\n`,
);
