import type { NodeFact } from '../../contracts/container-fact.ts';
import { type Instant, isInstant, SECOND_MS } from '../../values/instant.ts';
import { isResources, type Resources } from '../../values/resources.ts';
import { field, isObject, type JsonObject, objectAt, objectsIn, text } from '../lenient-json.ts';

type Market = NodeFact['market'];

/** What DescribeCluster tells. Source: the `Cluster` of the EMR API 2009-03-31. */
export interface EmrCluster {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** `TerminationProtected`: TerminateJobFlows is refused. */
  readonly protected: boolean;
  readonly releaseLabel: string;
  /** Of its instance groups, where it has groups. */
  readonly groups: ReadonlyMap<string, { readonly market: Market; readonly type: string }>;
}

export interface EmrInstance {
  readonly id: string;
  /** Private name, which YARN knows it by; ''. */
  readonly host: string;
  readonly type: string;
  readonly market: Market;
}

export interface EmrStep {
  readonly id: string;
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'ended' | undefined;
  readonly finalState: string;
  readonly createdAt: Instant | undefined;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
}

const CLUSTER_ID = /^j-[0-9A-Za-z]{1,30}$/;
const STEP_ID = /^s-[0-9A-Za-z]{1,30}$/;
const TAGS_MAX = 100;

export function isEmrClusterId(id: string): boolean {
  return CLUSTER_ID.test(id);
}

export function isStepId(id: string): boolean {
  return STEP_ID.test(id);
}

/** A time: a Date of the SDK, or seconds with a fraction as they go over the wire. */
function timeOf(row: JsonObject, key: string): Instant | undefined {
  const value = field(row, key);
  const ms =
    value instanceof Date
      ? value.getTime()
      : typeof value === 'number'
        ? Math.round(value * SECOND_MS)
        : Number.NaN;
  return isInstant(ms) && ms > 0 ? ms : undefined;
}

function marketOf(written: string): Market {
  if (written === 'SPOT') return 'spot';
  return written === 'ON_DEMAND' ? 'on-demand' : 'unknown';
}

function tagsOf(row: JsonObject): Record<string, string> {
  const rows = objectsIn(field(row, 'Tags')).slice(0, TAGS_MAX);
  const tags = rows.map((tag) => [text(tag, 'Key'), text(tag, 'Value')] as const);
  return Object.fromEntries(tags.filter(([key]) => key !== ''));
}

/** The `Cluster` of DescribeCluster, or a row of ListClusters, which tells less. */
export function decodeEmrCluster(row: unknown): EmrCluster | undefined {
  if (!isObject(row)) return undefined;
  const id = text(row, 'Id');
  const state = text(objectAt(row, 'Status'), 'State', 40);
  if (!isEmrClusterId(id) || state === '') return undefined;
  const timeline = objectAt(row, 'Status', 'Timeline');
  const groups = objectsIn(field(row, 'InstanceGroups')).map(
    (group) =>
      [
        text(group, 'Id'),
        { market: marketOf(text(group, 'Market')), type: text(group, 'InstanceType') },
      ] as const,
  );
  return {
    id,
    name: text(row, 'Name'),
    state,
    startedAt: timeOf(timeline, 'CreationDateTime'),
    endedAt: timeOf(timeline, 'EndDateTime'),
    tags: tagsOf(row),
    protected: field(row, 'TerminationProtected') === true,
    releaseLabel: text(row, 'ReleaseLabel', 100),
    groups: new Map(groups),
  };
}

/** Machines that take part, or will; asked for or gone ones aren't there. */
const UP = new Set(['PROVISIONING', 'BOOTSTRAPPING', 'RUNNING']);

/** One that all groups share, for old answers that don't say it of the machine. */
function shared<T>(values: readonly T[]): T | undefined {
  return new Set(values).size === 1 ? values[0] : undefined;
}

/** A row of ListInstances that is up; `gone` for one that isn't, undefined where it isn't understood. */
export function decodeInstance(
  row: unknown,
  groups: EmrCluster['groups'],
): EmrInstance | 'gone' | undefined {
  if (!isObject(row)) return undefined;
  const id = text(row, 'Ec2InstanceId', 100);
  const state = text(objectAt(row, 'Status'), 'State');
  if (state === '') return undefined;
  if (!UP.has(state)) return 'gone';
  // Its machine isn't there yet.
  if (id === '') return 'gone';
  const own = groups.get(text(row, 'InstanceGroupId'));
  const all = [...groups.values()];
  const market = marketOf(text(row, 'Market'));
  return {
    id,
    host: text(row, 'PrivateDnsName'),
    type: text(row, 'InstanceType') || own?.type || (shared(all.map(({ type }) => type)) ?? ''),
    market:
      market === 'unknown'
        ? (own?.market ?? shared(all.map((group) => group.market)) ?? 'unknown')
        : market,
  };
}

const STEP_STATES: Readonly<Record<string, EmrStep['state']>> = {
  PENDING: 'waiting',
  RUNNING: 'running',
  CANCEL_PENDING: 'running',
  COMPLETED: 'ended',
  CANCELLED: 'ended',
  FAILED: 'ended',
  INTERRUPTED: 'ended',
};

/** A row of ListSteps, or the `Step` of DescribeStep. */
export function decodeStep(row: unknown): EmrStep | undefined {
  if (!isObject(row)) return undefined;
  const id = text(row, 'Id');
  if (!isStepId(id)) return undefined;
  const status = objectAt(row, 'Status');
  const written = text(status, 'State', 40);
  const state = Object.hasOwn(STEP_STATES, written) ? STEP_STATES[written] : undefined;
  const timeline = objectAt(status, 'Timeline');
  return {
    id,
    name: text(row, 'Name'),
    state,
    finalState: state === 'ended' ? written : '',
    createdAt: timeOf(timeline, 'CreationDateTime'),
    startedAt: timeOf(timeline, 'StartDateTime'),
    endedAt: state === 'ended' ? timeOf(timeline, 'EndDateTime') : undefined,
  };
}

/** A row of ListSupportedInstanceTypes: the size of a machine, whose GPUs aren't told. */
export function decodeInstanceType(row: unknown): readonly [string, Resources] | undefined {
  if (!isObject(row)) return undefined;
  const [cores, gib] = [field(row, 'VCPU'), field(row, 'MemoryGB')];
  if (typeof cores !== 'number' || typeof gib !== 'number') return undefined;
  const size = { millicores: cores * 1_000, memoryMib: Math.round(gib * 1_024), gpus: 0 };
  const type = text(row, 'Type', 100);
  return type !== '' && isResources(size) && size.millicores > 0 ? [type, size] : undefined;
}
