import assert from 'node:assert/strict';
import { Enforcer } from '../../../services/alerter/enforce/enforcer.ts';
import type { EnforcerDeps } from '../../../services/alerter/enforce/enforcer-deps.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { verifyHistory } from '../../../shared/stores/enforcement-history.ts';
import { HeldLease } from '../../../shared/stores/held-lease.ts';
import { openSqliteAlertStores } from '../../../shared/stores/sql/open-alert-stores.ts';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { SimulatedCrash } from '../../support/crashing-stores.ts';
import {
  allLevels,
  aPolicy,
  aRung,
  firingAlert,
  someRules,
} from '../../support/enforcement-builders.ts';
import {
  ACT_WITHIN_MS,
  BUDGET,
  EnforcementWorld,
  EVIDENCE_MAX_MS,
  GRACE_MS,
  type Incarnation,
} from './enforcement-world.ts';
import { SeededRandom } from './seeded-random.ts';

const CLUSTERS = ['yarn-1', 'spark-1'];
const IDS = ['app-1', 'app-2', 'app-3', 'app-4', 'app-5'];
const STEPS = 100;
const LEASE_MS = 90 * SECOND_MS;
const NEVER = new AbortController().signal;

const ladder = [
  { ...aRung('graceful-stop', GRACE_MS), withinMs: 3 * MINUTE_MS },
  aRung('kill', GRACE_MS),
];
const limits = { minAgeMs: MINUTE_MS, evidenceMaxAgeMs: EVIDENCE_MAX_MS, ladder };
const POLICIES = [
  aPolicy({ ...limits, id: 'runaway', workloads: ['stream'] }),
  aPolicy({ ...limits, id: 'costly', workloads: ['batch'], ladder: [aRung('kill', GRACE_MS)] }),
  aPolicy({ ...limits, id: 'strict', ladder: [aRung('kill', 2 * GRACE_MS)] }),
];

type Stores = ReturnType<typeof openSqliteAlertStores>;
type Ledger = Awaited<ReturnType<typeof openLedger>>;

/** One process that enforces; its life ends with a crash, and another begins. */
class EnforcingProcess {
  readonly #world: EnforcementWorld;
  readonly #stores: Stores;
  readonly #ledger: Ledger;
  readonly #name: string;
  /** While it sleeps in the middle of something, the others go on. */
  readonly #meanwhile: () => Promise<void>;
  #lives = 0;
  #tickBegan = 0;
  #enforcer: Enforcer;
  cutOffUntil = 0;
  isBusy = false;

  constructor(
    world: EnforcementWorld,
    stores: Stores,
    ledger: Ledger,
    options: { readonly name: string; readonly meanwhile: () => Promise<void> },
  ) {
    this.#world = world;
    this.#stores = stores;
    this.#ledger = ledger;
    this.#name = options.name;
    this.#meanwhile = options.meanwhile;
    this.#enforcer = this.#begin();
  }

  async tick(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.#tickBegan = this.#world.real;
    const enforcer = this.#enforcer;
    await enforcer.tick(NEVER);
    const crash = this.#crashed;
    this.isBusy = false;
    if (this.#judged !== undefined) throw this.#judged;
    if (crash !== undefined) this.restart();
  }

  #crashed: unknown;
  #judged: unknown;

  restart(): void {
    this.#enforcer = this.#begin();
  }

  #begin(): Enforcer {
    this.#lives += 1;
    this.#crashed = undefined;
    const world = this.#world;
    const clock = world.clock();
    const { alerts, outbox, enforcement, leases } = this.#stores;
    const began = (): number => this.#tickBegan;
    const deps: EnforcerDeps = {
      settings: {
        policies: POLICIES,
        rules: someRules({
          budget: BUDGET,
          freeze: { dropPercent: 60, minimumLive: 4, settleMs: 3 * MINUTE_MS },
          validMs: 15 * MINUTE_MS,
          announceMaxMs: 15 * MINUTE_MS,
        }),
        ...{ tickMs: MINUTE_MS, verifyMs: 3 * MINUTE_MS, actWithinMs: ACT_WITHIN_MS },
        ...{ operators: ['ops'], secret: 's', longestExemptionMs: 1 },
      },
      store: this.#frail(enforcement),
      alerts: this.#frail(alerts),
      outbox: this.#frail(outbox),
      stopOrders: this.#frail(this.#judging(began)),
      live: { look: async () => CLUSTERS.map((cluster) => world.look(cluster)) },
      clusters: new Map(
        CLUSTERS.map((cluster) => [
          cluster,
          { reader: this.#slow(world.reader(cluster)), actuator: this.#noted(cluster, began) },
        ]),
      ),
      readSwitch: async () => ({ on: world.offSince === undefined, why: 'a file' }),
      links: undefined,
      lease: new HeldLease({
        store: this.#frail(leases),
        name: 'alerter/enforce',
        holder: `${this.#name}-${this.#lives}`,
        ttlMs: LEASE_MS,
        clock,
      }),
      clock,
      logger: silentLogger,
      metrics: new Metrics(),
    };
    return new Enforcer(deps);
  }

  #noted(cluster: string, began: () => number) {
    const actuator = this.#world.actuator(cluster, began);
    return {
      ...actuator,
      act: async (...args: Parameters<typeof actuator.act>) => {
        if (this.#crashed !== undefined) throw this.#crashed;
        try {
          return await actuator.act(...args);
        } catch (error) {
          this.#judged ??= error;
          throw error;
        }
      },
    };
  }

  #judging(began: () => number) {
    const { stopOrders } = this.#ledger;
    return {
      ofApplication: stopOrders.ofApplication.bind(stopOrders),
      report: stopOrders.report.bind(stopOrders),
      order: async (order: Parameters<typeof stopOrders.order>[0]) => {
        try {
          await this.#world.judge(order.id, began());
        } catch (error) {
          this.#judged ??= error;
          throw error;
        }
        return await stopOrders.order(order);
      },
    };
  }

  /** Answers take their time now and then, and the world doesn't wait. */
  #slow<T extends object>(target: T): T {
    return this.#wrap(target, async (call) => {
      const result = await call();
      if (this.#world.random.chance(0.01)) await this.#sleep();
      return result;
    });
  }

  async #sleep(): Promise<void> {
    const { random } = this.#world;
    for (let minutes = random.int(1, 12); minutes > 0; minutes -= 1) await this.#meanwhile();
  }

  /** Stores fail before or after they have done it, sleep, and a crash ends all. */
  #frail<T extends object>(target: T): T {
    const world = this.#world;
    return this.#wrap(target, async (call, name) => {
      if (this.#crashed !== undefined) throw this.#crashed;
      const lost = new AppError('STORE_UNAVAILABLE', `${name} failed`);
      if (world.real < this.cutOffUntil || world.random.chance(0.004)) throw lost;
      const result = await call();
      if (world.random.chance(0.004)) throw lost;
      if (world.random.chance(0.004)) await this.#sleep();
      if (world.random.chance(0.004)) {
        this.#crashed = new SimulatedCrash(name);
        throw this.#crashed;
      }
      return result;
    });
  }

  #wrap<T extends object>(
    target: T,
    around: (call: () => Promise<unknown>, name: string) => Promise<unknown>,
  ): T {
    return new Proxy(target, {
      get: (object, name) => {
        const method: unknown = Reflect.get(object, name, object);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) =>
          around(async () => await method.apply(object, args), String(name));
      },
    });
  }
}

const alertIdOf = ({ cluster, id, startedAt }: Incarnation): string =>
  `${cluster}/${id}/${startedAt}`;

/** What rules find, and what of it reaches the store: late, old, half, or not at all. */
class Evaluating {
  readonly #world: EnforcementWorld;
  readonly #stores: Stores;
  readonly #rows = new Map<string, number>();
  outageUntil = 0;

  constructor(world: EnforcementWorld, stores: Stores) {
    this.#world = world;
    this.#stores = stores;
  }

  async run(): Promise<void> {
    const world = this.#world;
    if (world.real < this.outageUntil) return;
    for (const life of world.lives) {
      const { breachesFrom, endedAt } = life;
      const began = this.#rows.get(alertIdOf(life));
      if (began === -1 || world.real < breachesFrom) continue;
      if (endedAt !== undefined && began === undefined) continue;
      await this.#evaluate(life, began ?? 0);
    }
  }

  async #evaluate(life: Incarnation, before: number): Promise<void> {
    const world = this.#world;
    const id = alertIdOf(life);
    const isOver = life.endedAt !== undefined;
    const isOld = world.random.chance(0.1);
    const isHalf = world.random.chance(0.1);
    const isGood = !isOver && !isOld && !isHalf;
    const breaches = isGood ? before + 1 : 0;
    this.#rows.set(id, isOver ? -1 : breaches);
    const [evidence] = firingAlert().evidence;
    assert.ok(evidence);
    const watermark = world.wall - (isOld ? 2 * EVIDENCE_MAX_MS : 0);
    const { cluster, id: app, startedAt, project } = life;
    const alert = firingAlert({
      ...{ id, project, state: isOver ? 'gone' : 'firing', breaches: isOld ? 2 : breaches },
      target: { kind: 'application', cluster, id: app, startedAt },
      evidence: [{ ...evidence, watermark, complete: !isHalf }],
      ...{ activeSince: Math.max(startedAt, world.wall - MINUTE_MS), evaluatedAt: world.wall },
      endedAt: isOver ? world.wall : undefined,
    });
    const known = await this.#stores.alerts.alert(id);
    const activeSince = known?.activeSince ?? alert.activeSince;
    const rows = [{ ...alert, activeSince }];
    await this.#stores.alerts.save({ alerts: rows, transitions: [], health: [] }, undefined);
    if (isGood && breaches >= 2) world.breaches.set(id, world.real);
  }
}

/** Delivers what waits in the outbox, to most. */
async function deliver(world: EnforcementWorld, { outbox }: Stores): Promise<void> {
  for (const { notification } of await outbox.due(world.wall, 50)) {
    const lot = world.random.int(1, 10);
    if (lot <= 5) continue;
    const refused = lot === 6;
    const outcome = refused ? 'refused' : 'delivered';
    const delivery = { destination: 'mail', outcome, at: world.wall, why: '' } as const;
    const deliveries = [{ ...delivery, notification: notification.id }];
    await outbox.record(notification.id, { deliveries, retryAt: undefined, error: '' });
    const [action = ''] = notification.id.split('/');
    if (!refused && !world.arrivals.has(action)) world.arrivals.set(action, world.real);
  }
}

/** Agents stop their applications when they are ordered to; some never hear of it. */
async function obey(world: EnforcementWorld, { stopOrders }: Ledger): Promise<void> {
  for (const order of await stopOrders.open(0)) {
    const life = world.find(order.cluster, order.application);
    if (life === undefined || !life.hasAgent || life.startedAt > order.orderedAt) continue;
    if (world.random.chance(0.5)) continue;
    const refuses = world.random.chance(0.3);
    const state = refuses ? 'refused' : 'stopped';
    await stopOrders.report(order.id, { state, clean: !refuses, message: '' }, world.wall);
    if (!refuses) life.endedAt = world.real;
  }
}

function liveOn(world: EnforcementWorld): void {
  const { random } = world;
  for (const cluster of CLUSTERS) {
    for (const id of IDS) {
      const life = world.find(cluster, id);
      if (life === undefined && random.chance(0.15)) world.begin(cluster, id);
      else if (life !== undefined && random.chance(0.01)) life.endedAt = world.real;
    }
  }
  if (random.chance(0.02)) world.wallOffset += random.int(-30, 90) * MINUTE_MS;
  if (random.chance(0.02)) world.offSince = world.offSince === undefined ? world.real : undefined;
  if (world.offSince !== undefined && random.chance(0.2)) world.offSince = undefined;
  world.turn(CLUSTERS);
}

async function exemptAll(world: EnforcementWorld, { enforcement }: Stores, from: number) {
  for (const [index, life] of world.lives.entries()) {
    if (index < from || !life.isExempt) continue;
    const names = { project: life.project, cluster: life.cluster, application: life.id };
    const audit = { id: `x${index}`, by: 'ada', why: 'month end', at: world.wall, owner: 'ada' };
    const expiresAt = world.wall + 1_000 * 60 * MINUTE_MS;
    await enforcement.exempt({ ...audit, ...names, workload: '', expiresAt });
  }
  return world.lives.length;
}

/** @returns how often something was done to somebody */
export async function simulateEnforcement(seed: number): Promise<number> {
  const world = new EnforcementWorld(new SeededRandom(seed));
  const { random } = world;
  // Leases go by real time: the store's server has its own clock.
  const storeClock = { ...world.clock(), now: () => world.real };
  await using stores = openSqliteAlertStores({ file: ':memory:', clock: storeClock });
  await using ledger = await openLedger({ file: ':memory:' });
  world.lookUp = (id) => stores.enforcement.action(id);
  for (const level of allLevels(POLICIES)) await stores.enforcement.switchLevel(level);
  const evaluating = new Evaluating(world, stores);
  const processes: EnforcingProcess[] = [];
  let exempted = 0;
  const minute = async (): Promise<void> => {
    world.pass(MINUTE_MS);
    liveOn(world);
    exempted = await exemptAll(world, stores, exempted);
    await evaluating.run();
    await deliver(world, stores);
    await obey(world, ledger);
    for (const one of processes) {
      if (random.chance(0.01)) one.cutOffUntil = world.real + random.int(1, 10) * MINUTE_MS;
      if (!one.isBusy && random.chance(0.01)) one.restart();
      if (!one.isBusy && random.chance(0.9)) await one.tick();
    }
    if (random.chance(0.02)) evaluating.outageUntil = world.real + random.int(2, 12) * MINUTE_MS;
    if (random.chance(0.1)) await release(world, stores);
  };
  for (const name of ['a', 'b']) {
    processes.push(new EnforcingProcess(world, stores, ledger, { name, meanwhile: minute }));
  }
  while (world.real < STEPS * MINUTE_MS) await minute();
  const verdict = verifyHistory(await stores.enforcement.history(0, 1_000_000));
  assert.ok(verdict.whole, JSON.stringify(verdict));
  return world.done.length;
}

/** Somebody looks after the brake, a wrong clock and outcomes that nobody knows. */
async function release(world: EnforcementWorld, { enforcement }: Stores): Promise<void> {
  const audit = { id: `r${world.real}`, by: 'ada', why: 'looked', at: world.wall };
  await enforcement.releaseBrake(audit);
  if (world.random.chance(0.3)) await enforcement.resetClock(audit);
  for (const { id, state } of await enforcement.open()) {
    if (state === 'unknown') await enforcement.resolve(id, 'failed', audit);
  }
}
