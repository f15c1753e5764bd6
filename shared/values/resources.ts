/** A container's resource vector. Whole numbers, so that quantities stay exact. */
export interface Resources {
  /** Thousandths of a core: YARN and Spark grant whole cores, Kubernetes grants fractions. */
  readonly millicores: number;
  /** Memory of the whole container (heap, overhead, off-heap, Python), in MiB. */
  readonly memoryMib: number;
  readonly gpus: number;
}

export const NO_RESOURCES: Resources = { millicores: 0, memoryMib: 0, gpus: 0 };

const MAX_MILLICORES = 1_000_000_000;
const MAX_MEMORY_MIB = 1_000_000_000;
const MAX_GPUS = 1_000_000;

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}

/** False for what no container can have: negative, fractional, unknown (-1) or absurdly large. */
export function isResources(resources: Resources): boolean {
  return (
    isCount(resources.millicores, MAX_MILLICORES) &&
    isCount(resources.memoryMib, MAX_MEMORY_MIB) &&
    isCount(resources.gpus, MAX_GPUS)
  );
}

export function equalResources(a: Resources, b: Resources): boolean {
  return a.millicores === b.millicores && a.memoryMib === b.memoryMib && a.gpus === b.gpus;
}
