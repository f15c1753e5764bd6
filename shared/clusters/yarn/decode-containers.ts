import type { Instant } from '../../values/instant.ts';
import { isInstant, MINUTE_MS } from '../../values/instant.ts';
import { isResources } from '../../values/resources.ts';
import type { EndedContainer, SeenContainer } from '../cluster-reader.ts';
import {
  count,
  field,
  instantOf,
  isObject,
  type JsonObject,
  objectsIn,
  text,
} from '../lenient-json.ts';
import { parseContainerId } from './yarn-ids.ts';
import { gpusOfEntries } from './yarn-resources.ts';

export interface DecodedContainers {
  readonly containers: readonly SeenContainer[];
  readonly ended: readonly EndedContainer[];
  /** Containers whose size is missing or -1. */
  readonly sizeUnknown: readonly string[];
  /** Rows without a usable id. */
  readonly unusable: number;
}

export interface ContainersContext {
  /** When the answer was asked for, by Tollgate's clock. */
  readonly at: Instant;
  readonly masterContainer: string;
}

/** A manager's clock further away than this isn't believed; its answer then counts at ours. */
const MAX_SKEW_MS = 24 * 60 * MINUTE_MS;

/** When the manager wrote a live row, by its own clock: the start plus what elapsed since. */
function sightOf(row: JsonObject, startedAt: Instant | undefined, at: Instant): Instant {
  const elapsed = count(row, 'elapsedTime');
  if (startedAt === undefined || elapsed === undefined) return at;
  const seenAt = startedAt + elapsed;
  return isInstant(seenAt) && Math.abs(seenAt - at) <= MAX_SKEW_MS ? seenAt : at;
}

function endOf(row: JsonObject, container: string): EndedContainer | undefined {
  const at = instantOf(row, 'finishedTime');
  if (at === undefined && text(row, 'containerState') !== 'COMPLETE') return undefined;
  const diagnostics = text(row, 'diagnosticsInfo', 300);
  const status = field(row, 'containerExitStatus');
  return { container, at, reason: diagnostics === '' ? `exit status ${status}` : diagnostics };
}

/** Live rows of `{"containers":{"container":[…]}}` or, as Hadoop 3.5 answers, `{"container":[…]}`. */
function rowsOf(answer: unknown): JsonObject[] | undefined {
  if (!isObject(answer)) return undefined;
  if (Object.hasOwn(answer, 'container')) return objectsIn(field(answer, 'container'));
  if (!Object.hasOwn(answer, 'containers')) {
    return Object.keys(answer).length === 0 ? [] : undefined;
  }
  const inner = field(answer, 'containers');
  return isObject(inner) ? objectsIn(field(inner, 'container')) : [];
}

/**
 * The answer of `/apps/{id}/appattempts/{attempt}/containers`; undefined when it is something else.
 * Numbers may be text. Source: …/server/webapp/dao/ContainerInfo.java.
 */
export function decodeContainers(
  answer: unknown,
  context: ContainersContext,
): DecodedContainers | undefined {
  const rows = rowsOf(answer);
  if (rows === undefined) return undefined;
  const containers = new Map<string, SeenContainer>();
  const ended: EndedContainer[] = [];
  const sizeUnknown: string[] = [];
  let unusable = 0;
  for (const row of rows) {
    const container = text(row, 'containerId');
    const id = parseContainerId(container);
    if (id === undefined) {
      unusable += 1;
      continue;
    }
    const resources = {
      millicores: (count(row, 'allocatedVCores') ?? Number.NaN) * 1_000,
      memoryMib: count(row, 'allocatedMB') ?? Number.NaN,
      gpus: gpusOfEntries(field(row, 'allocatedResources')),
    };
    const end = endOf(row, container);
    if (end !== undefined) ended.push(end);
    else if (!isResources(resources)) sizeUnknown.push(container);
    else {
      const startedAt = instantOf(row, 'startedTime');
      const isMaster =
        context.masterContainer === '' ? id.number === 1 : container === context.masterContainer;
      containers.set(container, {
        container,
        application: id.application,
        attempt: id.attempt,
        role: isMaster ? 'application-master' : 'executor',
        resources,
        sizeCertain: true,
        host: text(row, 'assignedNodeId') || text(row, 'nodeId'),
        scope: id.application,
        startedAt,
        seenAt: sightOf(row, startedAt, context.at),
      });
    }
  }
  return { containers: [...containers.values()], ended, sizeUnknown, unusable };
}
