import type { ApplicationEnding } from '../../contracts/container-fact.ts';
import { type Instant, parseInstant } from '../../values/instant.ts';
import { NO_RESOURCES, type Resources } from '../../values/resources.ts';
import { addResources } from '../add-resources.ts';
import type { SeenApplication } from '../cluster-reader.ts';
import {
  field,
  instantOf,
  isObject,
  type JsonObject,
  objectAt,
  objectsIn,
  text,
} from '../lenient-json.ts';
import { tagsFromText } from '../tags-from-text.ts';
import { containerIdIn, isYarnApplicationId, parseContainerId } from './yarn-ids.ts';
import { resourcesOfInfo } from './yarn-resources.ts';

/** One row of `/ws/v1/cluster/apps`, or `/apps/{id}`. Source: …/webapp/dao/AppInfo.java. */
export interface YarnApplication extends SeenApplication {
  /** The application master's container, where the row tells it, else ''. */
  readonly masterContainer: string;
  /** What the application asks for and doesn't have yet. */
  readonly pending: Resources;
  /** False when the caller has no right to view it: then its zeros mean nothing. */
  readonly viewable: boolean;
  /** How it ended, such as `SUCCEEDED` or `KILLED`; '' of one that hasn't. */
  readonly finalState: string;
  /** When the manager itself will end it (LIFETIME), where it says so. */
  readonly expiresAt: Instant | undefined;
}

export interface DecodedApplications {
  readonly applications: readonly YarnApplication[];
  /** Ids that stood in the answer more than once; the first row is taken. */
  readonly repeated: readonly string[];
  /** Rows without a usable id. */
  readonly unusable: number;
}

const ENDED = new Set(['FINISHED', 'FAILED', 'KILLED']);

function stateOf(row: JsonObject): SeenApplication['state'] {
  const state = text(row, 'state');
  if (ENDED.has(state)) return 'ended';
  return state === 'RUNNING' ? 'running' : 'waiting';
}

/** Sums the `pending` of every partition, else the asks that name any host (`*`). */
function pendingOf(row: JsonObject): Resources {
  const partitions = objectsIn(
    field(objectAt(row, 'resourceInfo'), 'resourceUsagesByPartition'),
  ).map((partition) => resourcesOfInfo(objectAt(partition, 'pending')));
  const known = partitions.filter((pending) => pending !== undefined);
  if (known.length > 0) return known.reduce(addResources, NO_RESOURCES);
  let sum = NO_RESOURCES;
  for (const ask of objectsIn(field(row, 'resourceRequests'))) {
    if (text(ask, 'resourceName') !== '*') continue;
    const one = resourcesOfInfo(objectAt(ask, 'capability'));
    const containers = Number(field(ask, 'numContainers'));
    if (one === undefined || !Number.isSafeInteger(containers) || containers <= 0) continue;
    sum = addResources(sum, {
      millicores: one.millicores * containers,
      memoryMib: one.memoryMib * containers,
      gpus: one.gpus * containers,
    });
  }
  return sum;
}

/** An application that ended by itself has a final status of its own; one that was killed has KILLED. */
function finalStateOf(row: JsonObject): string {
  const status = text(row, 'finalStatus');
  return status === '' || status === 'UNDEFINED' ? text(row, 'state') : status;
}

/** `2026-11-22T05:00:00.000+0000`, or `UNLIMITED`. Source: …/webapp/dao/AppTimeoutInfo.java. */
function expiryOf(row: JsonObject): Instant | undefined {
  const limits = objectsIn(field(objectAt(row, 'timeouts'), 'timeout'));
  const lifetime = limits.find((one) => text(one, 'type') === 'LIFETIME') ?? {};
  return parseInstant(text(lifetime, 'expiryTime').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
}

const OUTCOMES: ReadonlyMap<string, ApplicationEnding['outcome']> = new Map([
  ['SUCCEEDED', 'succeeded'],
  ['FAILED', 'failed'],
  ['KILLED', 'killed'],
]);

/** The final status is the application's own word, the state the manager's: a bad one stands. */
function endingOf(row: JsonObject): ApplicationEnding | undefined {
  const state = text(row, 'state');
  const said = state === 'FINISHED' ? text(row, 'finalStatus') : state;
  const outcome = OUTCOMES.get(said);
  return outcome === undefined
    ? undefined
    : { outcome, reason: text(row, 'diagnostics', 1_000).trim() };
}

/** Undefined for a row without an application id. */
export function decodeApplication(row: JsonObject): YarnApplication | undefined {
  const application = text(row, 'id');
  if (!isYarnApplicationId(application)) return undefined;
  const masterContainer = containerIdIn(text(row, 'amContainerLogs', 4_000)) ?? '';
  const startedAt = instantOf(row, 'startedTime');
  const state = stateOf(row);
  const ending = endingOf(row);
  return {
    application,
    attempt: parseContainerId(masterContainer)?.attempt ?? '',
    name: text(row, 'name'),
    user: text(row, 'user'),
    queue: text(row, 'queue'),
    tags: tagsFromText(text(row, 'applicationTags', 10_000)),
    url: text(row, 'trackingUrl', 4_000),
    state,
    startedAt,
    endedAt: state === 'ended' ? instantOf(row, 'finishedTime') : undefined,
    ...(ending === undefined ? {} : { ending }),
    endedAttempts: new Map(),
    masterContainer,
    pending: state === 'ended' ? NO_RESOURCES : pendingOf(row),
    viewable: startedAt !== undefined,
    finalState: state === 'ended' ? finalStateOf(row) : '',
    expiresAt: expiryOf(row),
  };
}

/**
 * The answer of `/ws/v1/cluster/apps`: `{"apps": {"app": […]}}`, and `{"apps": null}` or
 * `{"apps": {}}` for none. Undefined when it is something else.
 */
export function decodeApplications(answer: unknown): DecodedApplications | undefined {
  if (!isObject(answer) || !Object.hasOwn(answer, 'apps')) return undefined;
  const apps = field(answer, 'apps');
  if (apps !== null && !isObject(apps)) return undefined;
  const byId = new Map<string, YarnApplication>();
  const repeated = new Set<string>();
  let unusable = 0;
  for (const row of objectsIn(field(objectAt(apps), 'app'))) {
    const decoded = decodeApplication(row);
    if (decoded === undefined) unusable += 1;
    else if (byId.has(decoded.application)) repeated.add(decoded.application);
    else byId.set(decoded.application, decoded);
  }
  return { applications: [...byId.values()], repeated: [...repeated], unusable };
}

export interface YarnAttempt {
  readonly attempt: string;
  readonly masterContainer: string;
  readonly endedAt: number | undefined;
}

/** The answer of `/apps/{id}/appattempts`; undefined when it is something else. */
export function decodeAttempts(answer: unknown): YarnAttempt[] | undefined {
  if (!isObject(answer) || !Object.hasOwn(answer, 'appAttempts')) return undefined;
  const attempts: YarnAttempt[] = [];
  for (const row of objectsIn(field(objectAt(answer, 'appAttempts'), 'appAttempt'))) {
    const id = Number(field(row, 'id'));
    if (!Number.isSafeInteger(id) || id <= 0) continue;
    attempts.push({
      attempt: String(id),
      masterContainer: text(row, 'containerId'),
      endedAt: instantOf(row, 'finishedTime'),
    });
  }
  return attempts;
}
