import type { ClusterSight } from '../../../shared/clusters/cluster-actuator.ts';
import type { Alert } from '../../../shared/contracts/alert.ts';
import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import type { EnforcerDeps, LiveLook } from './enforcer-deps.ts';
import type { ClusterLook, ExemptTag, LiveApplication, PlanInput } from './plan/plan-input.ts';
import { allOn, type SwitchedOn } from './read-switch.ts';
import { readExemptTag } from './signed-exemption.ts';

const NOT_ASKED: ClusterSight = { outcome: 'unknown', why: 'not asked' };

function clusterLook(deps: EnforcerDeps, look: LiveLook, sight: ClusterSight): ClusterLook {
  const { cluster, at, complete, why, applications } = look;
  const means = deps.clusters.get(cluster);
  return {
    ...{ cluster, at, complete, why, sight, live: applications.length },
    abilities: means === undefined ? undefined : [...means.actuator.abilities].sort(),
    tellsAdmission: means?.reader.admission !== undefined,
  };
}

function withTag(
  deps: EnforcerDeps,
  cluster: string,
  app: LiveLook['applications'][number],
  now: Instant,
): LiveApplication {
  const { secret, longestExemptionMs: longestMs } = deps.settings;
  const unread = readExemptTag(app.tags, app, { secret: secret ?? '', now, longestMs });
  const keyless: ExemptTag = { state: 'ignored', why: 'no secret is configured to check it' };
  const exempt = secret === undefined && unread.state !== 'none' ? keyless : unread;
  return { ...app, cluster, exempt };
}

async function gatherSwitch(deps: EnforcerDeps): Promise<SwitchedOn> {
  const [outside, turned] = await Promise.all([deps.readSwitch(), deps.store.globalSwitch()]);
  const row = { on: turned?.on ?? true, why: `${turned?.by} turned it off: ${turned?.why}` };
  return allOn([outside, row]);
}

/** What a person may change while a tick goes on; read again before each action. */
async function gatherWords(deps: EnforcerDeps, now: Instant) {
  const { store } = deps;
  const [switchedOn, levels, exemptions, brake] = await Promise.all([
    gatherSwitch(deps),
    store.levels(),
    store.exemptions(now),
    store.brakeOn(),
  ]);
  return { switchedOn, levels, exemptions, brake };
}

/** Only clusters that an alert is about are asked how they are. */
async function gatherLooks(
  deps: EnforcerDeps,
  alerts: readonly Alert[],
  signal: AbortSignal,
): Promise<{ looks: LiveLook[]; sights: Map<string, ClusterSight> }> {
  const asked = alerts.filter(({ target }) => target.kind === 'cluster');
  const names = new Set(asked.map(({ target }) => target.cluster));
  const sights = new Map<string, ClusterSight>();
  const [looks] = await Promise.all([
    deps.live.look(signal),
    ...[...names].map(async (name) => {
      const means = deps.clusters.get(name);
      if (means !== undefined) sights.set(name, await means.reader.cluster(signal));
    }),
  ]);
  return { looks, sights };
}

function longestPeriodMs({ policies }: EnforcerDeps['settings']): number {
  return policies.reduce((longest, { periodMs }) => Math.max(longest, periodMs), HOUR_MS);
}

/**
 * All that a plan is made from. Any part that can't be read rejects: half of it leads to nothing.
 *
 * @param steadyOf steady time now, from what is stored
 */
export async function gatherInput(
  deps: EnforcerDeps,
  steadyOf: (stored: number) => number,
  signal: AbortSignal,
): Promise<PlanInput> {
  const { store, clock, settings } = deps;
  const state = await store.state();
  const open = await store.open();
  const alerts = await deps.alerts.open(clock.now());
  const known = new Set(alerts.map(({ id }) => id));
  for (const { alert: id } of open) {
    if (known.has(id)) continue;
    known.add(id);
    const ended = await deps.alerts.alert(id);
    if (ended !== undefined) alerts.push(ended);
  }
  const firing = alerts.filter((one) => one.state === 'firing');
  const related = await Promise.all(
    firing.map(({ id, episode }) => store.ofOccurrence(id, episode)),
  );
  const actions = new Map([...related.flat(), ...open].map((action) => [action.id, action]));
  const { looks, sights } = await gatherLooks(deps, firing, signal);
  const words = await gatherWords(deps, clock.now());
  const steadyMs = steadyOf(state.steadyMs);
  const now = clock.now();
  const backMs = longestPeriodMs(settings);
  const intents = await store.intents({ at: now - backMs, steadyMs: steadyMs - backMs });
  const { policies, rules } = settings;
  return {
    ...{ now, steadyMs, policies, rules, alerts, state, intents, ...words },
    actions: [...actions.values()].sort((a, b) => a.proposedAt - b.proposedAt),
    clusters: looks.map((look) => clusterLook(deps, look, sights.get(look.cluster) ?? NOT_ASKED)),
    applications: looks.flatMap(({ cluster, applications }) =>
      applications.map((app) => withTag(deps, cluster, app, now)),
    ),
  };
}

/** The same with what may have changed since, and with this action alone. */
export async function gatherAgain(
  deps: EnforcerDeps,
  input: PlanInput,
  id: string,
): Promise<PlanInput | undefined> {
  const { store, clock } = deps;
  const action = await store.action(id);
  if (action === undefined) return undefined;
  const alert = await deps.alerts.alert(action.alert);
  const words = await gatherWords(deps, clock.now());
  const backMs = longestPeriodMs(deps.settings);
  const now = clock.now();
  const since = { at: now - backMs, steadyMs: input.steadyMs - backMs };
  return {
    ...input,
    ...words,
    now,
    alerts: alert === undefined ? [] : [alert],
    actions: [action],
    intents: await store.intents(since),
  };
}
