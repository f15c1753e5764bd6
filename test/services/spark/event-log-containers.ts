import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { basename } from 'node:path';
import { constants, zstdDecompressSync } from 'node:zlib';

/** A container as Spark's event log tells it; times in ms. */
export interface SaidContainer {
  /** YARN's id; where it grants none, `<application>//driver` and `<application>//<executor>`. */
  readonly container: string;
  readonly role: 'driver' | 'executor' | 'application-master';
  readonly startedAt: number;
  /** Undefined where the log ends without one: its driver was killed. */
  readonly endedAt: number | undefined;
}

interface LoggedEvent {
  readonly Event: string;
  readonly Timestamp: number;
  readonly time: number;
  readonly 'App ID': string;
  readonly 'Executor ID': string;
  readonly 'Removed Reason': string;
  readonly 'Executor Info': { readonly Attributes: Readonly<Record<string, string>> };
  readonly 'Driver Attributes'?: Readonly<Record<string, string>>;
  readonly info?: { readonly logUrlInfo: Readonly<Record<string, string>> };
}

/**
 * A driver on standalone waits 5 s for the master to say why an executor left, which it never does
 * of one that it was asked to kill.
 */
export function removedAt(removed: {
  readonly Timestamp: number;
  readonly 'Removed Reason': string;
  readonly isStandalone: boolean;
}): number {
  const isLetGo =
    removed.isStandalone && removed['Removed Reason'].startsWith('Executor killed by');
  return removed.Timestamp - (isLetGo ? 5_000 : 0);
}

function eventsOf(parts: readonly string[]): LoggedEvent[] {
  return parts.flatMap((part) => {
    // A driver that was killed leaves its last frame open.
    const options = { finishFlush: constants.ZSTD_e_continue };
    const lines = zstdDecompressSync(readFileSync(part), options).toString().split('\n');
    return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
  });
}

/** Read here without any of Tollgate's parsers, from rolling logs that zstd compressed. */
export async function eventLogContainers(folder: string): Promise<SaidContainer[]> {
  const said: SaidContainer[] = [];
  for await (const log of glob(`${folder}/eventlog_v2_*`)) {
    const parts = (await Array.fromAsync(glob(`${log}/events_*`))).sort(
      (a, b) => Number(basename(a).split('_')[1]) - Number(basename(b).split('_')[1]),
    );
    const events = eventsOf(parts);
    // Some are written with their package's name.
    const of = (name: string) =>
      events.filter(({ Event }) => Event.split('.').at(-1) === `SparkListener${name}`);
    const end = of('ApplicationEnd')[0]?.Timestamp;
    const application = of('ApplicationStart')[0]?.['App ID'];
    const isStandalone = application?.startsWith('app-') ?? false;
    for (const added of of('ExecutorAdded')) {
      const id = added['Executor ID'];
      const removed = of('ExecutorRemoved').find((event) => event['Executor ID'] === id);
      said.push({
        container: added['Executor Info'].Attributes['CONTAINER_ID'] ?? `${application}//${id}`,
        role: 'executor',
        startedAt: added.Timestamp,
        endedAt: removed === undefined ? end : removedAt({ ...removed, isStandalone }),
      });
    }
    for (const start of of('ApplicationStart')) {
      const granted = start['Driver Attributes']?.['CONTAINER_ID'];
      const container = granted ?? `${start['App ID']}//driver`;
      said.push({ container, role: 'driver', startedAt: start.Timestamp, endedAt: end });
    }
    for (const master of of('MiscellaneousProcessAdded')) {
      const urls = Object.values(master.info?.logUrlInfo ?? {}).join(' ');
      const container = /container_(?:e\d+_)?\d+_\d+_\d+_\d+/.exec(urls)?.[0] ?? '';
      const role = 'application-master';
      said.push({ container, role, startedAt: master.time, endedAt: end });
    }
  }
  return said;
}
