import type { SimExecutor } from './sim-event.ts';
import type { SimulatedCluster } from './workload.ts';

/** What one application holds and waits for on a cluster. */
export interface Holding {
  readonly cores: number;
  readonly memoryMib: number;
}

/** A cluster's nodes and what is allocated on them. */
export class ClusterState {
  readonly spec: SimulatedCluster;
  readonly #free: { name: string; cores: number; memoryMib: number }[];
  #pending: Holding = { cores: 0, memoryMib: 0 };

  constructor(spec: SimulatedCluster) {
    this.spec = spec;
    this.#free = Array.from({ length: spec.nodes }, (_, i) => ({
      name: `${spec.id}-node-${String(i + 1).padStart(2, '0')}`,
      cores: spec.nodeCores,
      memoryMib: spec.nodeMemoryMib,
    }));
  }

  get nodes(): readonly { name: string; cores: number; memoryMib: number }[] {
    return this.#free;
  }

  /** The name of a node with room, now held; undefined when the cluster is full. */
  allocate(need: Holding): string | undefined {
    const candidates = this.#free.filter(
      (node) => node.cores >= need.cores && node.memoryMib >= need.memoryMib,
    );
    const node = candidates.sort((a, b) => b.cores - a.cores)[0];
    if (node === undefined) return undefined;
    node.cores -= need.cores;
    node.memoryMib -= need.memoryMib;
    return node.name;
  }

  release(executor: Pick<SimExecutor, 'node'>, held: Holding): void {
    const node = this.#free.find(({ name }) => name === executor.node);
    if (node === undefined) return;
    node.cores += held.cores;
    node.memoryMib += held.memoryMib;
  }

  setPending(pending: Holding): void {
    this.#pending = pending;
  }

  load(): { total: Holding; free: Holding; pending: Holding } {
    return {
      total: {
        cores: this.spec.nodes * this.spec.nodeCores,
        memoryMib: this.spec.nodes * this.spec.nodeMemoryMib,
      },
      free: {
        cores: this.#free.reduce((sum, node) => sum + node.cores, 0),
        memoryMib: this.#free.reduce((sum, node) => sum + node.memoryMib, 0),
      },
      pending: this.#pending,
    };
  }
}
