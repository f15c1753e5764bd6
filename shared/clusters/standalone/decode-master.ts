import type { ApplicationEnding } from '../../contracts/container-fact.ts';
import type { Instant } from '../../values/instant.ts';
import { isResources, NO_RESOURCES, type Resources } from '../../values/resources.ts';
import type { SeenApplication } from '../cluster-reader.ts';
import {
  count,
  field,
  instantOf,
  isObject,
  type JsonObject,
  objectAt,
  objectsIn,
  text,
} from '../lenient-json.ts';

export interface StandaloneWorker {
  readonly worker: string;
  readonly host: string;
  readonly webAddress: string;
  readonly capacity: Resources;
  readonly used: Resources;
  /** ALIVE, or DECOMMISSIONED: its executors still run. */
  readonly up: boolean;
  /** ALIVE: it takes new work, so its room is capacity. */
  readonly alive: boolean;
  readonly lastHeartbeat: Instant | undefined;
}

export interface StandaloneApplication extends SeenApplication {
  /** Cores granted over all its executors. */
  readonly grantedCores: number;
  readonly perExecutor: { readonly memoryMib: number; readonly gpus: number };
  /** The master's own clock when it wrote the row. */
  readonly seenAt: Instant | undefined;
  /** As the master calls it: `WAITING`, `RUNNING`, `FINISHED`, `FAILED`, `KILLED`, `UNKNOWN`. */
  readonly written: string;
}

export interface StandaloneDriver {
  readonly driver: string;
  readonly worker: string;
  readonly running: boolean;
  /** Submitted, and not placed on a worker yet. */
  readonly waiting: boolean;
  readonly cores: number;
  readonly memoryMib: number;
  /** As the master calls it: `SUBMITTED`, `RUNNING`, `RELAUNCHING`, `KILLED`, … */
  readonly written: string;
  readonly startedAt: Instant | undefined;
  /** The class with its main method. */
  readonly name: string;
}

export interface MasterState {
  /** `spark://host:port` */
  readonly url: string;
  readonly workers: readonly StandaloneWorker[];
  readonly active: readonly StandaloneApplication[];
  readonly completed: readonly StandaloneApplication[];
  readonly drivers: readonly StandaloneDriver[];
  readonly completedDrivers: readonly StandaloneDriver[];
  /** Ids listed more than once, or workers and applications without an id. */
  readonly repeated: readonly string[];
}

/** `{"gpu": {"name": "gpu", "addresses": ["0", …]}}` */
function gpuAddresses(resources: unknown): number {
  const addresses = field(objectAt(resources, 'gpu'), 'addresses');
  return Array.isArray(addresses) ? addresses.length : 0;
}

/** `[{"name": "gpu", "amount": 3}]` */
function gpuAmount(requests: unknown): number {
  const gpu = objectsIn(requests).find((request) => text(request, 'name') === 'gpu');
  return gpu === undefined ? 0 : (count(gpu, 'amount') ?? 0);
}

function resourcesOf(row: JsonObject, keys: readonly [string, string, string]): Resources {
  const resources = {
    millicores: (count(row, keys[0]) ?? 0) * 1_000,
    memoryMib: count(row, keys[1]) ?? 0,
    gpus: gpuAddresses(field(row, keys[2])),
  };
  return isResources(resources) ? resources : NO_RESOURCES;
}

function decodeWorker(row: JsonObject): StandaloneWorker {
  const state = text(row, 'state');
  return {
    worker: text(row, 'id'),
    host: text(row, 'host'),
    webAddress: text(row, 'webuiaddress', 4_000),
    capacity: resourcesOf(row, ['cores', 'memory', 'resources']),
    used: resourcesOf(row, ['coresused', 'memoryused', 'resourcesused']),
    up: state === 'ALIVE' || state === 'DECOMMISSIONED',
    alive: state === 'ALIVE',
    lastHeartbeat: instantOf(row, 'lastheartbeat'),
  };
}

const ENDINGS: ReadonlyMap<string, ApplicationEnding> = new Map([
  ['FINISHED', { outcome: 'succeeded', reason: '' }],
  ['FAILED', { outcome: 'failed', reason: 'FAILED at the master' }],
  ['KILLED', { outcome: 'killed', reason: '' }],
]);

/** `submitdate` carries zone letters that name several zones, so only `starttime` is read. */
function decodeApplication(row: JsonObject): StandaloneApplication {
  const written = text(row, 'state');
  const ending = ENDINGS.get(written);
  const ended = ending !== undefined;
  const startedAt = instantOf(row, 'starttime');
  const duration = count(row, 'duration');
  const sight =
    startedAt === undefined || duration === undefined ? undefined : startedAt + duration;
  const memoryMib = count(row, 'memoryperexecutor') ?? count(row, 'memoryperslave') ?? 0;
  const requests = field(row, 'resourcesperexecutor') ?? field(row, 'resourcesperslave');
  return {
    application: text(row, 'id'),
    attempt: '',
    name: text(row, 'name'),
    user: text(row, 'user'),
    queue: '',
    tags: {},
    url: '',
    state: ended ? 'ended' : written === 'RUNNING' ? 'running' : 'waiting',
    startedAt,
    endedAt: ended ? sight : undefined,
    ...(ending === undefined ? {} : { ending }),
    endedAttempts: new Map(),
    grantedCores: count(row, 'cores') ?? 0,
    perExecutor: { memoryMib, gpus: gpuAmount(requests) },
    seenAt: sight,
    written,
  };
}

function decodeDriver(row: JsonObject): StandaloneDriver {
  return {
    driver: text(row, 'id'),
    worker: text(row, 'worker'),
    running: text(row, 'state') === 'RUNNING',
    waiting: text(row, 'state') === 'SUBMITTED',
    cores: count(row, 'cores') ?? 0,
    memoryMib: count(row, 'memory') ?? 0,
    written: text(row, 'state'),
    // Text, where an application's is a number.
    startedAt: instantOf(row, 'starttime'),
    name: text(row, 'mainclass'),
  };
}

function unique<T>(rows: readonly T[], idOf: (row: T) => string, repeated: string[]): T[] {
  const byId = new Map<string, T>();
  for (const row of rows) {
    const id = idOf(row);
    if (id === '' || byId.has(id)) repeated.push(id);
    else byId.set(id, row);
  }
  return [...byId.values()];
}

/**
 * The master's `/json/` when it is ALIVE; its status when it isn't (STANDBY, RECOVERING, …:
 * such a master's empty lists mean nothing); undefined when the answer is something else.
 * Source: apache/spark core/…/deploy/JsonProtocol.scala.
 */
export function decodeMaster(answer: unknown): MasterState | string | undefined {
  if (!isObject(answer) || !Array.isArray(field(answer, 'workers'))) return undefined;
  if (!Array.isArray(field(answer, 'activeapps'))) return undefined;
  const status = text(answer, 'status');
  if (status !== 'ALIVE') return status === '' ? undefined : status;
  const repeated: string[] = [];
  const applications = (key: string): StandaloneApplication[] =>
    unique(
      objectsIn(field(answer, key)).map(decodeApplication),
      ({ application }) => application,
      repeated,
    );
  return {
    url: text(answer, 'url'),
    workers: unique(
      objectsIn(field(answer, 'workers')).map(decodeWorker),
      ({ worker }) => worker,
      repeated,
    ),
    active: applications('activeapps'),
    completed: applications('completedapps'),
    drivers: objectsIn(field(answer, 'activedrivers')).map(decodeDriver),
    completedDrivers: objectsIn(field(answer, 'completeddrivers')).map(decodeDriver),
    repeated,
  };
}
