import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { must } from '../../shared/errors/assert.ts';
import { NO_LIMITS, type ProjectLimits } from '../../shared/rating/evaluate-limits.ts';
import type { ReservationState } from '../../shared/stores/reservation-store.ts';
import { type CrashingLedger, openCrashingLedger } from '../support/crashing-ledger.ts';
import { SimulatedCrash } from '../support/crashing-stores.ts';
import { T0 } from '../support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  aHold,
  anApplication,
  aSettlement,
  ETL,
} from '../support/ledger-builders.ts';

const RUNS = Number(process.env['TOLLGATE_SIMULATIONS'] ?? 60);
const SEED = Number(process.env['TOLLGATE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMITS: ProjectLimits = { ...NO_LIMITS, creditLine: 20n, millicores: 10_000 };
const IDS = 6;
/** Applications `app-0`… are tagged with the reservations `r0`…; the last one is not. */
const APPS = 4;

/** What the store should hold, worked out by adding up, from what callers were told. */
interface Held {
  state: ReservationState;
  readonly held: bigint;
  readonly cores: number;
  readonly createdAt: number;
  expiresAt: number;
}
interface App {
  readonly start: number;
  charged: bigint;
  accrued: bigint;
  cores: number;
  /** What it had cost when it came under its reservation; undefined while it is under none. */
  before: bigint | undefined;
}

class Model {
  granted = 0n;
  now = T0;
  readonly holds = new Map<string, Held>();
  readonly apps = new Map<number, App>();

  isLive({ state, expiresAt }: Held): boolean {
    return state === 'held' && expiresAt > this.now;
  }

  /** [credits, millicores] that live reservations hold beyond what runs under them. */
  reserved(): [bigint, number] {
    let [credits, cores] = [0n, 0];
    for (const [id, hold] of this.holds) {
      if (!this.isLive(hold)) continue;
      const app = this.apps.get(Number(id.slice(1)));
      const under = app?.before === undefined ? undefined : app;
      const spent = under ? under.charged + under.accrued - (under.before ?? 0n) : 0n;
      const left = hold.held - (spent > 0n ? spent : 0n);
      credits += left > 0n ? left : 0n;
      cores += Math.max(0, hold.cores - (under?.cores ?? 0));
    }
    return [credits, cores];
  }

  sums(): { charged: bigint; accrued: bigint; cores: number } {
    const sums = { charged: 0n, accrued: 0n, cores: 0 };
    for (const app of this.apps.values()) {
      sums.charged += app.charged;
      sums.accrued += app.accrued;
      sums.cores += app.cores;
    }
    return sums;
  }

  fits(cost: bigint, cores: number): boolean {
    const [credits, held] = this.reserved();
    const { charged, accrued, cores: running } = this.sums();
    const left = this.granted + LIMITS.creditLine - charged - accrued - credits;
    return left > 0n && cost <= left && held + running + Math.max(1, cores) <= 10_000;
  }
}

const id = fc.nat(IDS - 1).map((n) => `r${n}`);
const crash = fc.option(
  fc.record({ statement: fc.integer({ min: 1, max: 14 }), after: fc.boolean() }),
  { nil: undefined, freq: 2 },
);
const step = fc.oneof(
  fc.record({
    kind: fc.constant('hold' as const),
    id,
    cost: fc.nat(60),
    cores: fc.integer({ min: 0, max: 5 }),
    lease: fc.integer({ min: 1, max: 50 }),
  }),
  fc.record({ kind: fc.constantFrom('post' as const, 'void' as const, 'renew' as const), id }),
  fc.record({
    kind: fc.constant('settle' as const),
    app: fc.nat(APPS - 1),
    amount: fc.integer({ min: -20, max: 40 }),
    accrued: fc.nat(30),
    cores: fc.nat(5),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }),
  fc.record({ kind: fc.constant('grant' as const), amount: fc.integer({ min: -10, max: 60 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly #ledger: CrashingLedger;
  readonly #model = new Model();
  readonly #asked = new Map<string, ReturnType<typeof aHold>>();
  #settlements = 0;

  constructor(ledger: CrashingLedger) {
    this.#ledger = ledger;
  }

  /** Says it again until it is answered, as a client does that has lost its answer. */
  async #insist<T>(work: () => Promise<T>, point: Parameters<CrashingLedger['crashAt']>[0]) {
    this.#ledger.crashAt(point);
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
    } finally {
      this.#ledger.crashAt(undefined);
    }
    return work();
  }

  async do(one: Step, point: Parameters<CrashingLedger['crashAt']>[0]): Promise<void> {
    const model = this.#model;
    if (one.kind === 'wait') model.now += one.ms;
    else if (one.kind === 'grant') await this.#grant(one.amount, point);
    else if (one.kind === 'settle') await this.#settle(one, point);
    else if (one.kind === 'hold') await this.#hold(one, point);
    else await this.#end(one.kind, one.id, point);
    await this.check();
  }

  async #grant(amount: number, point: Parameters<CrashingLedger['crashAt']>[0]) {
    this.#settlements += 1;
    const grant = { id: `g${this.#settlements}`, project: ETL, amount: BigInt(amount) };
    await this.#insist(
      () => this.#ledger.grants.grant({ ...grant, reason: 'simulated', grantedAt: T0 }),
      point,
    );
    this.#model.granted += BigInt(amount);
  }

  async #hold(
    one: Step & { readonly kind: 'hold' },
    point: Parameters<CrashingLedger['crashAt']>[0],
  ): Promise<void> {
    const model = this.#model;
    const fresh = aHold({
      ...{ id: one.id, maxCost: BigInt(one.cost), leaseMs: one.lease },
      resources: { millicores: one.cores * 1_000, memoryMib: 0, gpus: 0, executors: 0 },
    });
    const hold = this.#asked.get(one.id) ?? fresh;
    const { outcome } = await this.#insist(
      () => this.#ledger.reservations.hold(hold, LIMITS, model.now),
      point,
    );
    if (model.holds.has(one.id)) {
      assert.equal(outcome, 'exists');
      return;
    }
    const fits = model.fits(hold.maxCost, hold.resources.millicores);
    assert.equal(outcome === 'held' || outcome === 'exists', fits, `${outcome}, fits ${fits}`);
    if (!fits) return;
    this.#asked.set(one.id, hold);
    model.holds.set(one.id, {
      ...{ state: 'held', held: hold.maxCost, cores: hold.resources.millicores },
      ...{ createdAt: model.now, expiresAt: model.now + hold.leaseMs },
    });
  }

  async #end(
    kind: 'post' | 'void' | 'renew',
    name: string,
    point: Parameters<CrashingLedger['crashAt']>[0],
  ): Promise<void> {
    const model = this.#model;
    const ref = { project: ETL, id: name };
    const { reservations } = this.#ledger;
    const said = await this.#insist(
      () =>
        kind === 'renew'
          ? reservations.renew(ref, 25, model.now)
          : reservations[kind](ref, model.now),
      point,
    );
    const hold = model.holds.get(name);
    if (hold === undefined) {
      assert.equal(said, undefined);
      return;
    }
    const final = kind === 'post' ? 'posted' : 'voided';
    if (model.isLive(hold)) {
      assert.ok(said?.outcome === 'done' || said?.outcome === 'repeated');
      if (kind === 'renew') hold.expiresAt = Math.max(hold.expiresAt, model.now + 25);
      else hold.state = final;
      return;
    }
    const isRepeat = kind !== 'renew' && hold.state === final;
    assert.equal(said?.outcome, isRepeat ? 'repeated' : 'not-held');
  }

  async #settle(
    one: Step & { readonly kind: 'settle' },
    point: Parameters<CrashingLedger['crashAt']>[0],
  ): Promise<void> {
    const model = this.#model;
    this.#settlements += 1;
    const before = model.apps.get(one.app);
    const start = before?.start ?? model.now;
    const application = `app-${one.app}`;
    const tags: Record<string, string> =
      one.app < APPS - 1 ? { 'tollgate.reservation': `r${one.app}` } : {};
    const settlement = aSettlement({
      cursor: this.#settlements,
      applications: [anApplication({ application, tags, start })],
      charges: [
        aCharge({
          ...{ application, container: application, digest: application },
          ...{ amount: BigInt(one.amount), revision: this.#settlements },
        }),
      ],
      containers: [
        aContainer({
          ...{ application, container: application, accrued: BigInt(one.accrued) },
          state: one.cores > 0 ? 'running' : 'ended',
          resources: { millicores: one.cores * 1_000, memoryMib: 0, gpus: 0 },
        }),
      ],
    });
    await this.#insist(() => this.#ledger.ledgerWriter.settle(settlement), point);
    const app: App = before ?? { start, charged: 0n, accrued: 0n, cores: 0, before: undefined };
    const hold = one.app < APPS - 1 ? model.holds.get(`r${one.app}`) : undefined;
    if (hold !== undefined) {
      app.before ??= start >= hold.createdAt ? 0n : app.charged + app.accrued;
    }
    app.charged += BigInt(one.amount);
    app.accrued = BigInt(one.accrued);
    app.cores = one.cores * 1_000;
    model.apps.set(one.app, app);
  }

  async check(): Promise<void> {
    const model = this.#model;
    const balance = must(await this.#ledger.ledgerReader.balance(ETL, model.now), 'balance');
    const { charged, accrued, cores } = model.sums();
    const [credits, held] = model.reserved();
    assert.deepEqual(
      [balance.granted, balance.charged, balance.accrued, balance.millicores],
      [model.granted, charged, accrued, cores],
    );
    assert.deepEqual([balance.reserved, balance.reservedMillicores], [credits, held]);
  }

  /** After every lease is over nothing is held, whatever died when. */
  async end(): Promise<void> {
    const model = this.#model;
    model.now += 1_000;
    const balance = must(await this.#ledger.ledgerReader.balance(ETL, model.now), 'balance');
    assert.deepEqual([balance.reserved, balance.reservedMillicores], [0n, 0], 'a hold has leaked');
    const live = { state: 'held', limit: 99 } as const;
    assert.deepEqual(await this.#ledger.reservations.reservations(ETL, live, model.now), []);
  }
}

test('no reservation leaks and no limit is passed, whoever dies between any two statements', async (t) => {
  t.diagnostic(`seed ${SEED}, ${RUNS} runs`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(step, crash), { minLength: 1, maxLength: 40 }),
      async (steps) => {
        await using ledger = openCrashingLedger();
        await ledger.grants.register(ETL);
        await ledger.grants.grant({
          ...{ id: 'first', project: ETL, amount: 0n, reason: 'simulated', grantedAt: T0 },
        });
        const run = new Run(ledger);
        for (const [one, point] of steps) await run.do(one, point);
        await run.end();
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
});
