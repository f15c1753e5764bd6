import type { Instant } from '../values/instant.ts';
import { yarnContainer } from './application-info.ts';
import type { ExecutorRequest } from './container-size.ts';
import {
  instantField,
  type JsonObject,
  numberField,
  objectField,
  textField,
} from './json-fields.ts';

/** ExecutorAdded, or YARN's application master registering. */
export interface ExecutorAdded {
  readonly at: Instant;
  readonly executor: string;
  readonly host: string;
  readonly cores: number;
  readonly gpus: number;
  readonly profile: number;
  readonly container: string | undefined;
}

/** Undefined when it lacks what no executor can be counted without. */
export function readExecutorAdded(event: JsonObject): ExecutorAdded | undefined {
  const at = instantField(event, 'Timestamp');
  const executor = textField(event, 'Executor ID', 256);
  if (at === undefined || executor === '') return undefined;
  const info = objectField(event, 'Executor Info');
  const addresses = objectField(objectField(info, 'Resources'), 'gpu')['addresses'];
  return {
    at,
    executor,
    host: textField(info, 'Host', 256),
    cores: numberField(info, 'Total Cores') ?? 0,
    gpus: Array.isArray(addresses) ? addresses.length : 0,
    profile: numberField(info, 'Resource Profile Id') ?? 0,
    container: yarnContainer(objectField(info, 'Attributes'), objectField(info, 'Log Urls')),
  };
}

/** The application master of YARN's client mode; undefined for any other process. */
export function readApplicationMaster(event: JsonObject): ExecutorAdded | undefined {
  const at = instantField(event, 'time');
  const info = objectField(event, 'info');
  if (at === undefined || textField(event, 'processId') !== 'yarn-am') return undefined;
  return {
    at,
    executor: 'application-master',
    host: textField(info, 'hostPort', 256).replace(/:\d+$/, ''),
    cores: numberField(info, 'cores') ?? 0,
    gpus: 0,
    profile: 0,
    container: yarnContainer({}, objectField(info, 'logUrlInfo')),
  };
}

/** What a profile asks; its ids are whole numbers from 0, where 0 is the configuration's own. */
export function readResourceProfile(
  event: JsonObject,
): { readonly id: number; readonly request: ExecutorRequest } | undefined {
  const id = numberField(event, 'Resource Profile Id');
  if (id === undefined) return undefined;
  const asked = objectField(event, 'Executor Resource Requests');
  const amount = (name: string): number | undefined => {
    const value = numberField(objectField(asked, name), 'Amount');
    return value !== undefined && value >= 0 ? Math.floor(value) : undefined;
  };
  const cpus = numberField(
    objectField(objectField(event, 'Task Resource Requests'), 'cpus'),
    'Amount',
  );
  const optional = {
    memoryMib: amount('memory'),
    overheadMib: amount('memoryOverhead'),
    offHeapMib: amount('offHeap'),
    pysparkMib: amount('pyspark.memory'),
    taskCpus: cpus,
  };
  const known = Object.entries(optional).filter(([, value]) => value !== undefined);
  return { id, request: Object.fromEntries(known) };
}
