import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { systemClock } from '../../shared/runtime/clock.ts';
import { logLine } from './support/log-lines.ts';

/** What the sending thread of the log benchmark is told. */
export interface SenderData {
  readonly path: string;
  readonly linesPerSecond: number;
  readonly seconds: number;
  readonly rotateEveryMs: number;
}

const TURN_MS = 10;

/** Writes at an even pace; each event ends with the time at which it was written. */
async function send({ path, linesPerSecond, seconds, rotateEveryMs }: SenderData): Promise<void> {
  const never = new AbortController().signal;
  const begin = systemClock.elapsed();
  const total = linesPerSecond * seconds;
  let file = openSync(path, 'a');
  let rotatedAt = begin;
  let rotations = 0;
  for (let sent = 0; sent < total; ) {
    const elapsed = systemClock.elapsed();
    const due = Math.min(total, Math.floor(((elapsed - begin) / 1_000) * linesPerSecond));
    let text = '';
    for (; sent < due; sent += 1) text += logLine(sent, systemClock.now());
    if (text !== '') writeSync(file, text);
    if (elapsed - rotatedAt > rotateEveryMs) {
      closeSync(file);
      rotations += 1;
      renameSync(path, `${path}.${rotations}`);
      file = openSync(path, 'a');
      rotatedAt = elapsed;
    }
    await systemClock.sleep(TURN_MS, never);
  }
  closeSync(file);
}

await send(workerData as SenderData);
