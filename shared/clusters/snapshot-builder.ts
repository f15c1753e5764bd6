import type { Instant } from '../values/instant.ts';
import type {
  ClusterLoad,
  ClusterProblemReason,
  ClusterSnapshot,
  EndedContainer,
  SeenApplication,
  SeenContainer,
  SeenNode,
} from './cluster-reader.ts';
import { problemReason } from './fetch-json.ts';

const MAX_PROBLEMS = 1_000;

/** Collects the parts of one look as their answers come in. */
export class SnapshotBuilder {
  readonly at: Instant;
  readonly applications: SeenApplication[] = [];
  readonly containers: SeenContainer[] = [];
  readonly ended: EndedContainer[] = [];
  readonly answered = new Set<string>();
  readonly failed = new Set<string>();
  listed = false;
  nodes: readonly SeenNode[] | undefined;
  load: ClusterLoad | undefined;
  readonly #problems: ClusterSnapshot['problems'][number][] = [];

  constructor(at: Instant) {
    this.at = at;
  }

  problem(reason: ClusterProblemReason, subject: string, detail: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ reason, subject, detail });
  }

  /** Records a rejected request. */
  fault(subject: string, error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.problem(problemReason(error), subject, detail);
  }

  build(): ClusterSnapshot {
    const { at, applications, containers, ended, listed, answered, failed, nodes, load } = this;
    const problems = this.#problems;
    return { at, applications, containers, ended, listed, answered, failed, nodes, load, problems };
  }
}
