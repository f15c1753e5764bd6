import type { Attributed } from '../../../shared/attribution/attribute-application.ts';
import type {
  ClusterSnapshot,
  SeenApplication,
  SeenContainer,
} from '../../../shared/clusters/cluster-reader.ts';
import {
  type ApplicationFact,
  type Evidence,
  INFERRED_STOP,
  type JournalFact,
  type Witness,
} from '../../../shared/contracts/container-fact.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { equalResources, NO_RESOURCES } from '../../../shared/values/resources.ts';
import type { ClusterState, KnownApplication, OpenContainer } from './cluster-state.ts';
import { withDigest } from './fact-id.ts';
import { observeNodes } from './observe-nodes.ts';
import { pendingByProject } from './pending-by-project.ts';

/** Only its absence tells, so a sight or a seen stop corrects it. */
const GONE = `${INFERRED_STOP}gone`;

export interface ObserveContext {
  readonly cluster: string;
  readonly witness: Witness;
  /** How long something must be missing from whole answers before it counts as gone. */
  readonly goneAfterMs: number;
  readonly attribute: (application: SeenApplication) => Attributed;
}

export interface Observation {
  readonly facts: readonly JournalFact[];
  readonly evidence: readonly Evidence[];
  readonly after: ClusterState;
  /** Applications whose part of the state must be stored again. */
  readonly touched: ReadonlySet<string>;
  readonly nodesChanged: boolean;
}

/**
 * What one look at a cluster adds to the journal. Only a whole answer that no longer lists a
 * container lets it be gone, and only after `goneAfterMs` of such answers, since a manager that has
 * just restarted answers before its nodes have reported to it; the stop then stands at the last
 * sight. An application with an end stops its containers exactly then.
 */
export function observeCluster(
  before: ClusterState,
  snapshot: ClusterSnapshot,
  context: ObserveContext,
): Observation {
  return new Observer(before, snapshot, context).observe();
}

class Observer {
  readonly #before: ClusterState;
  readonly #snapshot: ClusterSnapshot;
  readonly #context: ObserveContext;
  readonly #facts: JournalFact[] = [];
  readonly #evidence: Evidence[] = [];
  readonly #containers: Map<string, OpenContainer>;
  readonly #applications: Map<string, KnownApplication>;
  readonly #unsettled = new Map<string, Instant>();
  readonly #touched = new Set<string>();

  constructor(before: ClusterState, snapshot: ClusterSnapshot, context: ObserveContext) {
    this.#before = before;
    this.#snapshot = snapshot;
    this.#context = context;
    this.#containers = new Map(before.containers);
    this.#applications = new Map(before.applications);
  }

  observe(): Observation {
    const { applications, containers, ended, listed, at } = this.#snapshot;
    const seen = new Map(containers.map((one) => [one.container, one]));
    const rows = new Map(applications.map((one) => [one.application, one]));
    for (const row of applications) if (row.state === 'running') this.#applicationRuns(row);
    for (const one of containers) this.#containerRuns(one, rows.get(one.application));
    for (const { container, at: end, reason } of ended) this.#containerEnds(container, end, reason);
    for (const open of [...this.#containers.values()]) {
      if (!seen.has(open.container)) this.#containerMissing(open, rows.get(open.application));
    }
    for (const row of applications) if (row.state === 'ended') this.#applicationEnds(row);
    const busy = new Set([...this.#containers.values()].map(({ application }) => application));
    for (const [id, known] of this.#before.applications) {
      if (!rows.has(id)) this.#applicationMissing(id, known, busy.has(id));
    }
    const { cluster, witness } = this.#context;
    const { nodes, ...nodeChanges } = observeNodes(
      this.#before.nodes,
      this.#snapshot,
      this.#context,
    );
    this.#facts.push(...nodeChanges.facts);
    if (this.#snapshot.load !== undefined) {
      const id = `${cluster}/${witness}/load/${at}`;
      const pendingBy = pendingByProject(applications, this.#context.attribute);
      const told = pendingBy.length === 0 ? {} : { pendingBy };
      this.#facts.push({ kind: 'load', id, cluster, witness, at, ...this.#snapshot.load, ...told });
    }
    return {
      facts: this.#facts,
      evidence: this.#evidence,
      after: {
        lookedAt: listed ? at : this.#before.lookedAt,
        containers: this.#containers,
        applications: this.#applications,
        nodes,
        unsettled: this.#unsettled,
      },
      touched: this.#touched,
      nodesChanged: nodeChanges.changed,
    };
  }

  #applicationFact(kind: ApplicationFact['kind'], row: SeenApplication, at: Instant) {
    const { cluster, witness, attribute } = this.#context;
    const { application, attempt, name, user, queue, tags, url } = row;
    const part = kind === 'application-seen' ? 'seen' : 'ended';
    const id = `${cluster}/${witness}/application/${application}/${part}`;
    const base = { kind, id, cluster, witness, at, application, attempt, name, user, queue };
    const told = kind === 'application-ended' && row.ending ? { ending: row.ending } : {};
    return withDigest({ ...base, tags, url, ...attribute(row), ...told });
  }

  #applicationRuns(row: SeenApplication): void {
    const { at } = this.#snapshot;
    const known = this.#applications.get(row.application);
    const fact = this.#applicationFact(
      'application-seen',
      row,
      row.startedAt ?? known?.fact.at ?? at,
    );
    if (known?.fact.id !== fact.id) {
      this.#facts.push(fact);
      this.#touched.add(row.application);
    }
    this.#applications.set(row.application, { fact, lastSeen: at });
  }

  #applicationEnds(row: SeenApplication): void {
    const known = this.#applications.get(row.application);
    if (known === undefined) return;
    const at = row.endedAt ?? known.lastSeen;
    this.#facts.push(this.#applicationFact('application-ended', row, at));
    this.#applications.delete(row.application);
    this.#touched.add(row.application);
  }

  #applicationMissing(id: string, known: KnownApplication, isBusy: boolean): void {
    const { listed, failed, at } = this.#snapshot;
    if (!listed || failed.has(id)) return;
    const absentSince = known.absentSince ?? at;
    this.#applications.set(id, { ...known, absentSince });
    if (isBusy || at - absentSince < this.#context.goneAfterMs) return;
    const base = `${known.fact.cluster}/${known.fact.witness}/application/${id}/gone`;
    const ended = {
      ...known.fact,
      kind: 'application-ended',
      at: known.lastSeen,
      id: base,
    } as const;
    this.#facts.push(withDigest(ended));
    this.#applications.delete(id);
    this.#touched.add(id);
  }

  #containerRuns(seen: SeenContainer, application: SeenApplication | undefined): void {
    const open = this.#containers.get(seen.container);
    if (open === undefined) this.#containerStarts(seen, application);
    else {
      const { absentSince: _, ...present } = this.#resized(open, seen);
      const lastSeen = Math.max(open.lastSeen, seen.seenAt);
      this.#containers.set(seen.container, { ...present, scope: seen.scope, lastSeen });
      if (open.scope !== seen.scope) this.#touched.add(open.application);
      this.#alive(seen.container, lastSeen);
    }
  }

  #alive(container: string, until: Instant): void {
    this.#evidence.push({ cluster: this.#context.cluster, container, until });
  }

  /** A container without a start time began when its application did, or else when first seen. */
  #startOf(seen: SeenContainer, application: SeenApplication | undefined): Instant {
    if (seen.startedAt !== undefined) return seen.startedAt;
    const { lookedAt } = this.#before;
    const began = application?.startedAt;
    const firstSeen = this.#before.unsettled.get(seen.container) ?? seen.seenAt;
    return began !== undefined && lookedAt !== undefined && began > lookedAt && began < firstSeen
      ? began
      : firstSeen;
  }

  #containerStarts(seen: SeenContainer, row: SeenApplication | undefined): void {
    const { container, application, attempt, role, host, resources, scope } = seen;
    const startedAt = this.#startOf(seen, row);
    if (!seen.sizeCertain && !this.#before.unsettled.has(container)) {
      this.#unsettled.set(container, startedAt);
      return;
    }
    const open = { container, application, attempt, role, host, resources, scope, startedAt };
    const lastSeen = Math.max(startedAt, seen.seenAt);
    this.#containers.set(container, { ...open, lastSeen });
    this.#containerFact('container-started', open, { at: startedAt, reason: '', id: 'started' });
    this.#alive(container, lastSeen);
    this.#touched.add(application);
  }

  /** A size counts as changed when two looks in a row, both certain, say the same. */
  #resized(open: OpenContainer, seen: SeenContainer): OpenContainer {
    const { proposed, ...settled } = open;
    if (!seen.sizeCertain || equalResources(open.resources, seen.resources)) return settled;
    if (proposed === undefined || !equalResources(proposed.resources, seen.resources)) {
      return { ...settled, proposed: { resources: seen.resources, at: seen.seenAt } };
    }
    const resized = { ...settled, resources: seen.resources };
    const { at } = proposed;
    this.#containerFact('container-resized', resized, { at, reason: '', id: `resized/${at}` });
    this.#touched.add(open.application);
    return resized;
  }

  #containerEnds(container: string, end: Instant | undefined, reason: string): void {
    const open = this.#containers.get(container);
    if (open !== undefined) this.#stop(open, end, reason);
  }

  #containerMissing(open: OpenContainer, row: SeenApplication | undefined): void {
    const { answered, failed, listed, at } = this.#snapshot;
    const attemptEnd = row?.endedAttempts.get(open.attempt);
    if (row?.state === 'ended' && row.endedAt !== undefined) {
      // One that was missing before its application ended had ended by itself.
      this.#stop(
        open,
        open.absentSince === undefined ? row.endedAt : undefined,
        'application ended',
      );
    } else if (attemptEnd !== undefined) {
      this.#stop(open, open.absentSince === undefined ? attemptEnd : undefined, 'attempt ended');
    } else if (answered.has(open.scope) || (listed && !failed.has(open.scope))) {
      const absentSince = open.absentSince ?? at;
      if (at - absentSince >= this.#context.goneAfterMs) this.#stop(open, undefined, GONE);
      else this.#containers.set(open.container, { ...open, absentSince });
    }
  }

  /** @param end undefined where only its absence is known: then the last sight is taken */
  #stop(open: OpenContainer, end: Instant | undefined, reason: string): void {
    const at = Math.max(open.startedAt, end ?? open.lastSeen);
    const id = end === undefined ? `gone/${at}` : 'stopped';
    this.#containerFact(
      'container-stopped',
      { ...open, resources: NO_RESOURCES },
      { at, reason, id },
    );
    this.#containers.delete(open.container);
    this.#touched.add(open.application);
  }

  #containerFact(
    kind: 'container-started' | 'container-resized' | 'container-stopped',
    open: Omit<OpenContainer, 'lastSeen'>,
    {
      at,
      reason,
      id: part,
    }: { readonly at: Instant; readonly reason: string; readonly id: string },
  ): void {
    const { cluster, witness } = this.#context;
    const { container, application, attempt, role, resources, host } = open;
    const id = `${cluster}/${witness}/container/${container}/${part}`;
    const what = { container, application, attempt, role, resources, host };
    this.#facts.push({ kind, id, cluster, witness, at, ...what, reason });
  }
}
