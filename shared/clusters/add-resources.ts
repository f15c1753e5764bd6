import type { Resources } from '../values/resources.ts';

export function addResources(a: Resources, b: Resources): Resources {
  return {
    millicores: a.millicores + b.millicores,
    memoryMib: a.memoryMib + b.memoryMib,
    gpus: a.gpus + b.gpus,
  };
}
