import { isResources, type Resources } from '../../values/resources.ts';
import {
  count,
  field,
  isObject,
  type JsonObject,
  objectAt,
  objectsIn,
  text,
} from '../lenient-json.ts';

const GPU = 'yarn.io/gpu';

/** Number of GPUs in `{entry: [{key, value}]}`, which old managers write as a bare list. */
export function gpusOfEntries(value: unknown): number {
  const entries = isObject(value) ? field(value, 'entry') : value;
  const gpu = objectsIn(entries).find((entry) => text(entry, 'key') === GPU);
  return gpu === undefined ? 0 : (count(gpu, 'value') ?? 0);
}

/**
 * A ResourceInfo (`{memory, vCores, resourceInformations}`), memory in MiB; undefined where a
 * number is missing or -1. Source: apache/hadoop …/webapp/dao/ResourceInfo.java.
 */
export function resourcesOfInfo(info: JsonObject): Resources | undefined {
  const memoryMib = count(info, 'memory');
  const vCores = count(info, 'vCores') ?? count(info, 'virtualCores');
  if (memoryMib === undefined || vCores === undefined) return undefined;
  const kinds = objectsIn(field(objectAt(info, 'resourceInformations'), 'resourceInformation'));
  const gpu = kinds.find((kind) => text(kind, 'name') === GPU);
  const gpus = gpu === undefined ? 0 : (count(gpu, 'value') ?? 0);
  const resources = { millicores: vCores * 1_000, memoryMib, gpus };
  return isResources(resources) ? resources : undefined;
}
