import type { SeenNode } from '../../../shared/clusters/cluster-reader.ts';
import type { ApplicationFact, ContainerRole } from '../../../shared/contracts/container-fact.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { Resources } from '../../../shared/values/resources.ts';
import { bucketOf } from './bucket.ts';

/** A container whose start is in the journal and whose stop isn't. */
export interface OpenContainer {
  readonly container: string;
  readonly application: string;
  readonly attempt: string;
  readonly role: ContainerRole;
  readonly host: string;
  readonly scope: string;
  readonly resources: Resources;
  readonly startedAt: Instant;
  /** Last sight, by the manager's clock where that is known. */
  readonly lastSeen: Instant;
  /** First look of an unbroken row of looks that would have shown it and didn't. */
  readonly absentSince?: Instant;
  /** A new size, seen once; it counts when the next look confirms it. */
  readonly proposed?: { readonly resources: Resources; readonly at: Instant };
}

/** An application that runs, as the journal was last told. */
export interface KnownApplication {
  readonly fact: ApplicationFact;
  readonly lastSeen: Instant;
  readonly absentSince?: Instant;
}

export interface KnownNode extends Omit<SeenNode, 'node'> {
  readonly lastSeen: Instant;
  readonly absentSince?: Instant;
}

/** What the watcher of one cluster remembers from look to look. */
export interface ClusterState {
  /** The last look whose list was whole. */
  readonly lookedAt: Instant | undefined;
  readonly containers: ReadonlyMap<string, OpenContainer>;
  readonly applications: ReadonlyMap<string, KnownApplication>;
  readonly nodes: ReadonlyMap<string, KnownNode>;
  /** Containers whose size isn't certain yet, with their first sight; not kept over a restart. */
  readonly unsettled: ReadonlyMap<string, Instant>;
}

export const EMPTY_STATE: ClusterState = {
  lookedAt: undefined,
  containers: new Map(),
  applications: new Map(),
  nodes: new Map(),
  unsettled: new Map(),
};

const VERSION = 1;

export function clusterPrefix(cluster: string): string {
  return `containers/${encodeURIComponent(cluster)}/cluster/`;
}

interface Bucket {
  readonly v: number;
  readonly containers: readonly OpenContainer[];
  readonly applications: readonly (readonly [string, KnownApplication])[];
}

interface Look {
  readonly v: number;
  readonly lookedAt: Instant;
  /** Manager's clock minus Tollgate's, at the look. */
  readonly skewMs: number;
  /** Last sights of containers that this look didn't show. */
  readonly behind: readonly (readonly [string, Instant])[];
}

interface Nodes {
  readonly v: number;
  readonly nodes: readonly (readonly [string, KnownNode])[];
}

function bucketSource(prefix: string, bucket: number): string {
  return `${prefix}open/${bucket}`;
}

function lookOf(state: ClusterState, lookedAt: Instant): Look {
  const seen = [...state.containers.values()].filter((one) => one.absentSince === undefined);
  const newest = seen.reduce((max, { lastSeen }) => Math.max(max, lastSeen), 0);
  // Containers of one look differ by the ms that the answers took: the last second counts as seen.
  const shown = seen.filter(({ lastSeen }) => lastSeen >= newest - 1_000);
  const oldest = shown.reduce((min, { lastSeen }) => Math.min(min, lastSeen), newest);
  const names = new Set(shown.map(({ container }) => container));
  const behind = [...state.containers.values()].filter(({ container }) => !names.has(container));
  return {
    v: VERSION,
    lookedAt,
    skewMs: shown.length === 0 ? 0 : oldest - lookedAt,
    behind: behind.map(({ container, lastSeen }) => [container, lastSeen] as const),
  };
}

/**
 * What changed, as checkpoints: open containers and applications in a fixed number of buckets by
 * application, of which only those that changed are written, and one small row for every look.
 */
export function stateCheckpoints(
  prefix: string,
  after: ClusterState,
  touched: ReadonlySet<string>,
  nodesChanged: boolean,
): Checkpoint[] {
  const checkpoints: Checkpoint[] = [];
  const buckets = new Set([...touched].map(bucketOf));
  for (const bucket of buckets) {
    const body: Bucket = {
      v: VERSION,
      containers: [...after.containers.values()].filter(
        ({ application }) => bucketOf(application) === bucket,
      ),
      applications: [...after.applications].filter(([id]) => bucketOf(id) === bucket),
    };
    checkpoints.push({ source: bucketSource(prefix, bucket), position: JSON.stringify(body) });
  }
  if (nodesChanged) {
    const body: Nodes = { v: VERSION, nodes: [...after.nodes] };
    checkpoints.push({ source: `${prefix}nodes`, position: JSON.stringify(body) });
  }
  if (after.lookedAt !== undefined) {
    const body = lookOf(after, after.lookedAt);
    checkpoints.push({ source: `${prefix}look`, position: JSON.stringify(body) });
  }
  return checkpoints;
}

/** Absence is counted anew after a restart: nobody looked in between. */
function present<T extends { readonly absentSince?: Instant }>(
  entries: readonly (readonly [string, T])[],
): (readonly [string, Omit<T, 'absentSince'>])[] {
  return entries.map(([id, { absentSince: _, ...one }]) => [id, one]);
}

/** The state that was stored; rows of another version are left out, as if never seen. */
export function restoreState(prefix: string, checkpoints: readonly Checkpoint[]): ClusterState {
  const containers = new Map<string, OpenContainer>();
  const applications = new Map<string, KnownApplication>();
  let nodes = new Map<string, KnownNode>();
  let look: Look | undefined;
  for (const { source, position } of checkpoints) {
    const stored = JSON.parse(position) as Look | Bucket | Nodes;
    if (stored.v !== VERSION) continue;
    if (source === `${prefix}look`) look = stored as Look;
    else if (source === `${prefix}nodes`) nodes = new Map(present((stored as Nodes).nodes));
    else if (source.startsWith(`${prefix}open/`)) {
      for (const one of (stored as Bucket).containers) containers.set(one.container, one);
      for (const [id, one] of present((stored as Bucket).applications)) applications.set(id, one);
    }
  }
  if (look === undefined) return { ...EMPTY_STATE, containers, applications, nodes };
  const { lookedAt, skewMs } = look;
  const behind = new Map(look.behind);
  for (const [id, one] of containers) {
    const lastSeen = behind.get(id) ?? lookedAt + skewMs;
    const { absentSince: _, proposed: __, ...kept } = one;
    containers.set(id, { ...kept, lastSeen: Math.max(one.lastSeen, lastSeen) });
  }
  return { lookedAt, containers, applications, nodes, unsettled: new Map() };
}
