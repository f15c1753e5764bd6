import {
  count,
  field,
  isObject,
  type JsonObject,
  objectAt,
  objectsIn,
  text,
} from '../lenient-json.ts';

export interface StandaloneExecutor {
  readonly application: string;
  readonly executor: string;
  readonly memoryMib: number;
  readonly gpus: number;
  /** Most cores the whole application may take; 0 where it has no limit. */
  readonly coresWanted: number;
}

export interface WorkerState {
  readonly worker: string;
  readonly usedCores: number;
  readonly executors: readonly StandaloneExecutor[];
  readonly finished: readonly StandaloneExecutor[];
}

function decodeExecutor(row: JsonObject): StandaloneExecutor | undefined {
  const id = field(row, 'id');
  const application = text(row, 'appid');
  const memoryMib = count(row, 'memory');
  const named = Number.isSafeInteger(id) || (typeof id === 'string' && id !== '');
  if (!named || application === '' || memoryMib === undefined) return undefined;
  const addresses = field(objectAt(field(row, 'resources'), 'gpu'), 'addresses');
  const gpus = Array.isArray(addresses) ? addresses.length : 0;
  const coresWanted = count(objectAt(field(row, 'appdesc')), 'cores') ?? 0;
  return { application, executor: String(id), memoryMib, gpus, coresWanted };
}

function decodeExecutors(rows: unknown): StandaloneExecutor[] {
  const byKey = new Map<string, StandaloneExecutor>();
  for (const row of objectsIn(rows)) {
    const executor = decodeExecutor(row);
    if (executor === undefined) continue;
    byKey.set(`${executor.application}\n${executor.executor}`, executor);
  }
  return [...byKey.values()];
}

/**
 * A worker's `/json/`: which executors it runs, without start, stop or cores. Undefined when the
 * answer is something else. Source: apache/spark core/…/deploy/JsonProtocol.scala.
 */
export function decodeWorker(answer: unknown): WorkerState | undefined {
  if (!isObject(answer) || !Array.isArray(field(answer, 'executors'))) return undefined;
  return {
    worker: text(answer, 'id'),
    usedCores: count(answer, 'coresused') ?? 0,
    executors: decodeExecutors(field(answer, 'executors')),
    finished: decodeExecutors(field(answer, 'finishedexecutors')),
  };
}
