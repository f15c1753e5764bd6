import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { WORLDS, type WorldName } from './worlds.ts';

const HELP = `Worlds of containers, witnesses, prices and accidents, each metered and compared with an oracle:
npm run simulate [-- [--world metering|enforcement] [--seeds N] [--from N] [--seed N]]

  --world W  metering (default), or enforcement: clocks that jump, failing stores, lying clusters
  --seeds N  how many (default 10,000; of enforcement 5,000)
  --from N   the first seed (default 1)
  --seed N   this one alone, with what went wrong in full

Example: npm run simulate -- --seeds 500 --from 20261121`;
const SHOWN_MAX = 20;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

type Run = (seed: number) => Promise<unknown>;

/** @returns the seeds that fail, with the reason */
async function simulate(run: Run, from: number, seeds: number): Promise<Map<number, unknown>> {
  const failures = new Map<number, unknown>();
  const bar = new SingleBar({ format: '{bar} {percentage} % {value}/{total} {eta_formatted}' });
  if (process.stderr.isTTY) bar.start(seeds, 0);
  for (let seed = from; seed < from + seeds; seed += 1) {
    try {
      await run(seed);
    } catch (error) {
      failures.set(seed, error);
    }
    bar.increment();
  }
  bar.stop();
  return failures;
}

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'metering' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const world = values.world in WORLDS ? WORLDS[values.world as WorldName] : undefined;
const [from, seeds] =
  values.seed === undefined
    ? [Number(values.from), Number(values.seeds ?? world?.seeds)]
    : [Number(values.seed), 1];
if (
  values.help ||
  world === undefined ||
  !Number.isInteger(from) ||
  !Number.isInteger(seeds) ||
  seeds < 1
) {
  print(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  const began = performance.now();
  const failures = await simulate(world.run, from, seeds);
  for (const [seed, error] of [...failures].slice(0, SHOWN_MAX)) {
    print(`seed ${seed} fails: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    print(`again: npm run simulate -- --world ${values.world} --seed ${seed}`);
  }
  const took = ((performance.now() - began) / 1_000).toFixed(0);
  print(`${seeds - failures.size} of ${seeds} seeds from ${from} hold, ${took} s`);
  process.exitCode = failures.size === 0 ? 0 : 1;
}
