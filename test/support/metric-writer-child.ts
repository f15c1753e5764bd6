// Writes the same points in the same order at every start, and prints how many are acknowledged.
// Argument: folder. A test kills it.
import { systemClock } from '../../shared/runtime/clock.ts';
import { openMetricWriter } from '../../shared/stores/sql/metric-writer.ts';

const SERIES = 50;
const folder = process.argv[2] ?? '';
const limits = { commitIntervalMs: 0, diskReserveBytes: 0, compactPoints: 2_000 };
const writer = await openMetricWriter({ folder, clock: systemClock, limits });
const refs = Array.from({ length: SERIES }, (_, i) =>
  writer.declare({
    measurement: 'm',
    field: 'f',
    tags: { project: 'p', cluster: 'c', executor: `${i}` },
  }),
);
for (let tick = 0; tick < 100_000; tick += 1) {
  const block = {
    series: Uint32Array.from(refs),
    at: new Float64Array(SERIES).fill(tick * 1000),
    value: Float64Array.from(refs, (_, i) => tick * 100 + i),
    length: SERIES,
  };
  await writer.write(block, [{ source: 's', position: `${tick}` }]);
  process.stdout.write(`${tick}\n`);
}
