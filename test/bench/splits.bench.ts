import { systemClock } from '../../shared/runtime/clock.ts';
import { splitWhole } from '../../shared/values/split-whole.ts';

const SPLITS = Number(process.env['BENCH_SPLITS'] ?? 1_000_000);
/** Another seed splits other amounts; a failing one is printed. */
const SEED = Number(process.env['BENCH_SPLITS_SEED'] ?? 1);
const PARTS_MAX = 8;
const SHOWN_EACH = 10_000_000;

/** Mulberry32: 32 random bits from a seed. */
function randomBits(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  };
}

/** Amounts of up to 62 bits, of either sign, by one to eight weights, some of them nothing. */
export async function run(print: (line: string) => void): Promise<void> {
  const next = randomBits(SEED);
  const start = systemClock.elapsed();
  let lost = 0;
  let parts = 0;
  for (let done = 1; done <= SPLITS; done += 1) {
    const bits = next();
    const magnitude = (BigInt(next()) << 30n) | BigInt(bits >>> 2);
    const whole = (bits & 1) === 0 ? magnitude : -magnitude;
    const weights: bigint[] = [];
    for (let left = 1 + (next() % PARTS_MAX); left > 0; left -= 1) {
      const weight = next();
      weights.push(weight % 16 === 0 ? 0n : BigInt(weight));
    }
    let sum = 0n;
    for (const part of splitWhole(whole, weights)) sum += part;
    parts += weights.length;
    if (sum !== whole) {
      lost += 1;
      print(`LOST with seed ${SEED} at split ${done}: ${whole} by ${weights.join(', ')}`);
    }
    if (done % SHOWN_EACH === 0) print(`${done} of ${SPLITS} splits`);
  }
  const seconds = (systemClock.elapsed() - start) / 1_000;
  const each = ((seconds * 1e6) / SPLITS).toFixed(2);
  print(
    `splits: ${SPLITS} of seed ${SEED} into ${parts} parts in ${seconds.toFixed(1)} s (${each} µs each)`,
  );
  print(`splits: ${lost} with a unit lost or invented (target: 0)`);
}
