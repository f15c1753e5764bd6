import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever the kernel's own tick. Source: proc(5). */
const TICK_MS = 10;

interface Times {
  readonly parent: number;
  readonly ownMs: number;
  /** Of children that have ended and were waited for. */
  readonly endedMs: number;
}

function timesOf(pid: string): Times | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything; the state is the first field after it.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [
      1, 11, 12, 13, 14,
    ].map((index) => fields[index] ?? 0);
    return {
      parent,
      ownMs: (user + system) * TICK_MS,
      endedMs: (endedUser + endedSystem) * TICK_MS,
    };
  } catch {
    // It ended between the listing and the look.
    return undefined;
  }
}

/** CPU time so far of a process with its children, in ms. Linux only. */
export function cpuMsOf(pid: number): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const own = timesOf(`${pid}`);
  let sum = (own?.ownMs ?? 0) + (own?.endedMs ?? 0);
  for (const name of pids) {
    const times = timesOf(name);
    if (times?.parent === pid) sum += times.ownMs;
  }
  return sum;
}
