import type { Clock } from '../../runtime/clock.ts';
import type { ActuatorAnswer, AdmissionSight } from '../cluster-actuator.ts';
import { field, isObject, type JsonObject, objectsIn, text } from '../lenient-json.ts';
import type { DatabricksAnswer, DatabricksClient } from './databricks-client.ts';

/** Who may use a cluster policy, as `[kind, name]`. Source: `ClusterPolicyAccessControlRequest`. */
type Principal = readonly ['user_name' | 'group_name' | 'service_principal_name', string];

const KINDS = ['user_name', 'group_name', 'service_principal_name'] as const;
const POLICY_ID = /^[A-Za-z0-9]{1,64}$/;
const PRINCIPALS_MAX = 10_000;
const NAME_MAX = 1_000;

type Read =
  | { readonly outcome: 'read'; readonly direct: readonly Principal[] }
  | { readonly outcome: 'unknown'; readonly why: string };

function principalOf(row: JsonObject): Principal | undefined {
  for (const kind of KINDS) {
    const name = text(row, kind, NAME_MAX);
    if (name !== '') return [kind, name];
  }
  return undefined;
}

/** Rows that give CAN_USE directly; inherited ones (administrators) can't be taken away. */
function decodeDirect(body: unknown): Principal[] | undefined {
  if (!isObject(body) || !Array.isArray(field(body, 'access_control_list') ?? [])) return undefined;
  const direct: Principal[] = [];
  for (const row of objectsIn(field(body, 'access_control_list') ?? [])) {
    const own = objectsIn(field(row, 'all_permissions')).some(
      (one) => field(one, 'inherited') !== true && text(one, 'permission_level') === 'CAN_USE',
    );
    const principal = principalOf(row);
    if (!own) continue;
    // One who can't be named couldn't be given it back.
    if (principal === undefined || direct.length === PRINCIPALS_MAX) return undefined;
    direct.push(principal);
  }
  return direct.sort(([a, x], [b, y]) => (`${a} ${x}` < `${b} ${y}` ? -1 : 1));
}

function parseRestore(text: string): Principal[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed) || parsed.length === 0) return undefined;
    const isPrincipal = (one: unknown): one is Principal =>
      Array.isArray(one) &&
      one.length === 2 &&
      KINDS.includes(one[0]) &&
      typeof one[1] === 'string' &&
      one[1] !== '';
    return parsed.every(isPrincipal) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function bodyOf(principals: readonly Principal[]): string {
  const list = principals.map(([kind, name]) => ({ [kind]: name, permission_level: 'CAN_USE' }));
  return JSON.stringify({ access_control_list: list });
}

const answer = (outcome: ActuatorAnswer['outcome'], detail: string): ActuatorAnswer => ({
  outcome,
  detail,
});

/**
 * Denies new clusters under a cluster policy by taking its direct CAN_USE permissions away, and gives
 * exactly those back. Administrators keep theirs, and who may create clusters without a policy isn't
 * held: both are the workspace's rules. The API has no compare-and-set; what changed since it was
 * read last is found right before, and not later.
 */
export class PolicyPermissions {
  readonly #client: DatabricksClient;
  readonly #clock: Clock;

  constructor(client: DatabricksClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async sight(policy: string, signal: AbortSignal): Promise<AdmissionSight> {
    const at = this.#clock.now();
    const read = await this.#read(policy, signal);
    if (read.outcome === 'unknown') return read;
    if (read.direct.length === 0) return { outcome: 'denied', at };
    return { outcome: 'open', at, restore: JSON.stringify(read.direct) };
  }

  async deny(
    policy: string,
    restore: string | undefined,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    if (restore === undefined || parseRestore(restore) === undefined) {
      return answer(
        'refused',
        'the way back is missing: who may use the policy is to be read first',
      );
    }
    const read = await this.#read(policy, signal);
    if (read.outcome === 'unknown') return answer('refused', read.why);
    if (JSON.stringify(read.direct) !== restore) {
      return answer('refused', 'who may use the policy has changed since it was read');
    }
    return this.#write(policy, [], signal);
  }

  async allow(
    policy: string,
    restore: string | undefined,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    const principals = restore === undefined ? undefined : parseRestore(restore);
    if (principals === undefined) {
      return answer('refused', 'it is not known who could use the policy before');
    }
    const read = await this.#read(policy, signal);
    if (read.outcome === 'unknown') return answer('refused', read.why);
    // What somebody was given meanwhile stays.
    const all = new Map([...read.direct, ...principals].map((one) => [one.join(' '), one]));
    return this.#write(policy, [...all.values()], signal);
  }

  async #read(policy: string, signal: AbortSignal): Promise<Read> {
    if (!POLICY_ID.test(policy)) {
      return { outcome: 'unknown', why: `“${policy.slice(0, 80)}” is no id of a cluster policy` };
    }
    const told = await this.#client.get(pathOf(policy), undefined, signal);
    if (told.outcome !== 'answered') return { outcome: 'unknown', why: told.detail };
    const direct = decodeDirect(told.body);
    return direct === undefined
      ? { outcome: 'unknown', why: `${pathOf(policy)}: the permissions are not understood` }
      : { outcome: 'read', direct };
  }

  async #write(
    policy: string,
    principals: readonly Principal[],
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    return actuatorAnswer(await this.#client.put(pathOf(policy), bodyOf(principals), signal));
  }
}

function pathOf(policy: string): string {
  return `/api/2.0/permissions/cluster-policies/${policy}`;
}

/** What an order came to, from the workspace's answer to it. */
export function actuatorAnswer(told: DatabricksAnswer): ActuatorAnswer {
  if (told.outcome === 'answered') return answer('accepted', '200');
  return answer(told.outcome === 'refused' ? 'refused' : 'unknown', told.detail);
}
