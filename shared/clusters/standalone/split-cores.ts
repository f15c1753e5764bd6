/** What is known of cores: sums per worker and per application, but not per executor. */
export interface CoreSums {
  /** Cores in use on each worker by executors (drivers taken off). */
  readonly usedByWorker: ReadonlyMap<string, number>;
  /** Cores granted to each application over all workers. */
  readonly grantedByApplication: ReadonlyMap<string, number>;
  /** False when a worker didn't answer, so that executors are missing from the list. */
  readonly complete: boolean;
}

export interface PlacedExecutor {
  readonly worker: string;
  readonly application: string;
}

export interface ExecutorCores<E> {
  readonly executor: E;
  readonly cores: number;
  /** False where another split would explain the sums as well, or none does. */
  readonly certain: boolean;
}

function groups<E extends PlacedExecutor>(executors: readonly E[], key: keyof PlacedExecutor) {
  return Map.groupBy(executors, (executor) => executor[key]);
}

/** `total` in `parts` whole parts of nearly the same size, the larger ones first. */
function share(total: number, parts: number, position: number): number {
  return Math.floor(total / parts) + (position < total % parts ? 1 : 0);
}

/** Every executor of an application with the same cores, if that explains every sum. */
function uniform<E extends PlacedExecutor>(
  executors: readonly E[],
  sums: CoreSums,
): ExecutorCores<E>[] | undefined {
  const sizes = new Map<string, number>();
  for (const [application, own] of groups(executors, 'application')) {
    const size = (sums.grantedByApplication.get(application) ?? 0) / own.length;
    if (!Number.isInteger(size) || size === 0) return undefined;
    sizes.set(application, size);
  }
  for (const [worker, own] of groups(executors, 'worker')) {
    const used = own.reduce((sum, { application }) => sum + (sizes.get(application) ?? 0), 0);
    if (used !== sums.usedByWorker.get(worker)) return undefined;
  }
  return executors.map((executor) => {
    return { executor, cores: sizes.get(executor.application) ?? 0, certain: sums.complete };
  });
}

/**
 * Works out each executor's cores, which neither master nor worker tells. First guess: one size per
 * application (`spark.executor.cores`). Where that doesn't fit the sums (without that setting an
 * executor takes what its worker has free): a worker that runs one application gives its cores to
 * that one's executors, and the rest of each application's grant is shared among its others.
 */
export function splitCores<E extends PlacedExecutor>(
  executors: readonly E[],
  sums: CoreSums,
): ExecutorCores<E>[] {
  const same = uniform(executors, sums);
  if (same !== undefined) return same;
  const result = new Map<E, ExecutorCores<E>>();
  for (const [worker, own] of groups(executors, 'worker')) {
    if (new Set(own.map(({ application }) => application)).size !== 1) continue;
    const used = sums.usedByWorker.get(worker) ?? 0;
    const certain = own.length === 1 && used > 0;
    for (const [position, executor] of own.entries()) {
      result.set(executor, { executor, cores: share(used, own.length, position), certain });
    }
  }
  for (const [application, own] of groups(executors, 'application')) {
    const rest = own.filter((executor) => !result.has(executor));
    const assigned = own.reduce((sum, one) => sum + (result.get(one)?.cores ?? 0), 0);
    const left = Math.max(0, (sums.grantedByApplication.get(application) ?? 0) - assigned);
    const certain = sums.complete && rest.length === 1 && left > 0;
    for (const [position, executor] of rest.entries()) {
      result.set(executor, { executor, cores: share(left, rest.length, position), certain });
    }
  }
  return [...result.values()];
}
