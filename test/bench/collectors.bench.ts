import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { eventsOfBacklog, writeBacklog } from './support/catch-up.ts';

const LINES = Number(process.env['BENCH_COLLECTOR_LINES'] ?? 300_000);
const PASSES = 3;

/** What a child says at its end. */
interface Told {
  readonly ms: number;
  readonly cpuMs: number;
  readonly stored: number;
}

interface Measured {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

async function begin(folder: string, input: string): Promise<ChildProcess> {
  const script = join(import.meta.dirname, '../support/log-collector-child.ts');
  const child = fork(script, [folder, input, String(eventsOfBacklog(LINES))]);
  await once(child, 'message');
  return child;
}

/** So many collectors at a time, each a process with files and a store of its own. */
async function collect(collectors: number): Promise<Measured> {
  await using folder = await temporaryFolder();
  const children: ChildProcess[] = [];
  for (let n = 0; n < collectors; n += 1) {
    const input = join(folder.path, `in-${n}`);
    mkdirSync(input);
    writeBacklog(input, LINES);
    children.push(await begin(join(folder.path, `data-${n}`), input));
  }
  const told = await Promise.all(
    children.map(async (child) => {
      child.send('go');
      const [message] = await once(child, 'message');
      await once(child, 'exit');
      return message as Told;
    }),
  );
  const stored = told.reduce((sum, one) => sum + one.stored, 0);
  const cpuMs = told.reduce((sum, one) => sum + one.cpuMs, 0);
  const ms = Math.max(...told.map((one) => one.ms));
  return { perSecond: (stored * 1_000) / ms, cpuMicros: (cpuMs * 1_000) / stored };
}

const middle = (passes: readonly Measured[], of: keyof Measured): number =>
  passes.map((pass) => pass[of]).toSorted((a, b) => a - b)[Math.floor(passes.length / 2)] ?? 0;

/** Whether a second collector does as much as the first. */
export async function run(print: (line: string) => void): Promise<void> {
  const one: Measured[] = [];
  const two: Measured[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    one.push(await collect(1));
    two.push(await collect(2));
  }
  for (const [name, passes] of [
    ['one collector', one],
    ['two collectors', two],
  ] as const) {
    print(
      `${name}: ${Math.round(middle(passes, 'perSecond')).toLocaleString('en')} events/s, ` +
        `${middle(passes, 'cpuMicros').toFixed(1)} µs of CPU an event`,
    );
  }
  const work = middle(two, 'perSecond') / middle(one, 'perSecond');
  const cpu = middle(two, 'cpuMicros') / middle(one, 'cpuMicros');
  print(
    `two do ${work.toFixed(2)} times the work of one on ${availableParallelism()} cores (target 1.7 ` +
      `where cores allow); CPU an event ${cpu.toFixed(2)} of one's`,
  );
}
