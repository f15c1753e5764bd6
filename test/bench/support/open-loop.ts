import { setTimeout as wait } from 'node:timers/promises';

/** What came of a load; times in ms, from when a request was due until its answer. */
export interface OpenLoad {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly failures: number;
  /** CPU of the sender, in µs a request. */
  readonly cpuMicros: number;
}

interface OpenLoopOptions {
  /** Requests a second on average; they come one by one at random, as jobs do. */
  readonly rate: number;
  readonly seconds: number;
  readonly random: () => number;
}

const TICK_MS = 1;

/**
 * Sends when it is time, whatever has been answered by then, so that a stall counts for every
 * request that it holds up. Resolves when all are answered.
 *
 * @param send resolves to whether the answer was right; a rejection is a failure too
 */
export async function openLoop(
  { rate, seconds, random }: OpenLoopOptions,
  send: (n: number) => Promise<boolean>,
): Promise<OpenLoad> {
  const latencies: number[] = [];
  let failures = 0;
  const one = async (n: number, due: number): Promise<void> => {
    const isFine = await send(n).catch(() => false);
    if (!isFine) failures += 1;
    latencies.push(performance.now() - due);
  };
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  const sent: Promise<void>[] = [];
  const gapMs = (): number => (-Math.log(1 - random()) / rate) * 1_000;
  for (let due = begin; due < end; due += gapMs()) {
    while (performance.now() < due) await wait(TICK_MS);
    sent.push(one(sent.length, due));
  }
  await Promise.all(sent);
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = performance.now() - begin;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return {
    requests: latencies.length,
    perSecond: latencies.length / (elapsed / 1_000),
    ...{ p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) },
    failures,
    cpuMicros: (user + system) / Math.max(1, latencies.length),
  };
}
