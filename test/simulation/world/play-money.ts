import assert from 'node:assert/strict';
import { must } from '../../../shared/errors/assert.ts';
import { NO_LIMITS } from '../../../shared/rating/evaluate-limits.ts';
import type { Balance } from '../../../shared/stores/ledger-reader.ts';
import type { Hold } from '../../../shared/stores/reservation-store.ts';
import type { Ledger } from '../../../shared/stores/sql/open-ledger.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { allCharges } from '../../support/metering-run.ts';
import type { Money, WorldGrant, WorldHold } from './make-money.ts';
import type { SeededRandom } from './seeded-random.ts';
import { type TrueGrant, trueCredits } from './true-grants.ts';

interface LiveHold {
  readonly hold: WorldHold;
  expiresAt: Instant;
}

function holdOf({ id, project, maxCost, leaseMs }: WorldHold): Hold {
  return {
    ...{ id, project, application: id, maxCost, leaseMs },
    resources: { millicores: 0, memoryMib: 0, gpus: 0, executors: 0 },
    ...{ multiplierCap: undefined, quote: undefined },
  };
}

/** How often what a world is made for came about. */
export interface Tally {
  held: number;
  refused: number;
  rollovers: number;
  expiries: number;
  closings: number;
  corrections: number;
}

/** Clients that are given credits, hold, renew, end and die, and what must be true of them. */
export class PlayedMoney {
  readonly #ledger: Ledger;
  readonly #money: Money;
  readonly #random: SeededRandom;
  readonly #tally: Tally;
  readonly #given: TrueGrant[] = [];
  readonly #givenTo = new Map<string, ProjectId>();
  readonly #live = new Map<string, LiveHold>();
  readonly #refused = new Set<string>();
  #known = Number.NEGATIVE_INFINITY;

  constructor(
    ledger: Ledger,
    of: { readonly money: Money; readonly random: SeededRandom; readonly tally: Tally },
  ) {
    this.#ledger = ledger;
    this.#money = of.money;
    this.#random = of.random;
    this.#tally = of.tally;
  }

  /** Of a guarded project only what was admitted runs. */
  mayRun(application: string): boolean {
    return !this.#refused.has(application);
  }

  /** What clients do up to now. */
  async act(now: Instant): Promise<void> {
    const isNew = (at: Instant): boolean => at > this.#known && at <= now;
    const random = this.#random;
    for (const grant of this.#money.grants.filter(({ knownAt }) => isNew(knownAt))) {
      await this.#give(grant, now);
    }
    for (const hold of this.#money.holds.filter(({ at }) => isNew(at))) await this.#hold(hold, now);
    for (const live of [...this.#live.values()]) {
      const { hold } = live;
      if (hold.end === undefined || live.expiresAt <= now) continue;
      const ref = { project: hold.project, id: hold.id };
      if (isNew(hold.end.at)) {
        const step = await this.#ledger.reservations[hold.end.how](ref, now);
        assert.equal(step?.outcome, 'done');
        this.#live.delete(hold.id);
      } else if (hold.application === undefined && random.chance(0.3)) {
        await this.#ledger.reservations.renew(ref, hold.leaseMs, now);
        live.expiresAt = Math.max(live.expiresAt, now + hold.leaseMs);
      }
    }
    this.#known = now;
  }

  async #give({ knownAt: _, project, ...grant }: WorldGrant, now: Instant): Promise<void> {
    const { id, amount, priority, from: validFrom, until, monthly } = grant;
    const expiresAt = Number.isFinite(until) ? until : undefined;
    const terms = { priority, validFrom, expiresAt, monthly };
    const given = { id, project, amount, reason: 'simulated', grantedAt: now, terms };
    await this.#ledger.grants.grant(given);
    if (this.#random.chance(0.2)) {
      assert.equal(await this.#ledger.grants.grant(given), 'already-there');
    }
    this.#given.push({ ...grant, givenAt: now });
    this.#givenTo.set(id, project);
  }

  async #hold(wanted: WorldHold, now: Instant): Promise<void> {
    const { reservations, ledgerReader } = this.#ledger;
    const { project, application, maxCost, leaseMs } = wanted;
    await this.#ledger.grants.register(project);
    const limits = { ...NO_LIMITS, creditLine: this.#money.creditLine };
    const before = must(await ledgerReader.balance(project, now), 'it is registered');
    const left = this.#left(before);
    const { outcome } = await reservations.hold(holdOf(wanted), limits, now);
    const fits = before.unlimited || (left > 0n && maxCost <= left);
    assert.equal(outcome, fits ? 'held' : 'refused', `${wanted.id}: ${maxCost} of ${left}`);
    this.#tally[fits ? 'held' : 'refused'] += 1;
    if (fits) {
      this.#live.set(wanted.id, { hold: wanted, expiresAt: now + leaseMs });
      if (this.#random.chance(0.2)) {
        const again = await reservations.hold(holdOf(wanted), limits, now);
        assert.equal(again.outcome, 'exists', 'an answer that was lost is asked for again');
      }
    } else if (application !== undefined && this.#money.watches.get(project) === 'guarded') {
      this.#refused.add(application);
    }
  }

  #left({ granted, charged, accrued, reserved }: Balance): bigint {
    return granted + this.#money.creditLine - charged - accrued - reserved;
  }

  /** Of each project: what is held is what its clients hold, and nobody is below the line. */
  async check(now: Instant): Promise<void> {
    for (const [project, watch] of this.#money.watches) {
      const balance = await this.#ledger.ledgerReader.balance(project, now);
      if (balance === undefined) continue;
      assert.equal(balance.reserved, await this.#reserved(project, now), `${project} holds`);
      if (watch === 'guarded') assert.ok(this.#left(balance) >= 0n, `${project} is below its line`);
    }
  }

  /** What live holds keep beyond what was spent under them. */
  async #reserved(project: ProjectId, now: Instant): Promise<bigint> {
    const live = [...this.#live.values()].filter(
      ({ hold, expiresAt }) => hold.project === project && expiresAt > now,
    );
    if (live.length === 0) return 0n;
    const page = await this.#ledger.ledgerReader.applications(project, { limit: 99 });
    const spent = new Map(
      page.applications.map(({ application, charged, accrued }) => [
        application,
        charged + accrued,
      ]),
    );
    return live.reduce((sum, { hold: { application, maxCost } }) => {
      const left = maxCost - (spent.get(application ?? '') ?? 0n);
      return sum + (left > 0n ? left : 0n);
    }, 0n);
  }

  /** Once what is due of grants is written: it is what the oracle says, to the unit and the piece. */
  async checkGrants(now: Instant): Promise<void> {
    const rows = await allCharges(this.#ledger);
    for (const project of this.#money.watches.keys()) {
      const grants = this.#given.filter(({ id }) => this.#givenTo.get(id) === project);
      if (grants.length === 0) continue;
      const hours = new Map<Instant, bigint>();
      for (const row of rows.filter((one) => one.project === project)) {
        hours.set(row.hour, (hours.get(row.hour) ?? 0n) + row.amount);
      }
      const truth = trueCredits(grants, hours, now);
      const balance = must(await this.#ledger.ledgerReader.balance(project, now), 'has grants');
      assert.equal(balance.granted, truth.granted, `${project} was granted`);
      const { entries } = await this.#ledger.grants.book(project);
      const written = (piece: string, kind: string): bigint =>
        entries
          .filter((one) => one.piece === piece && one.kind === kind)
          .reduce((sum, { amount }) => sum + amount, 0n);
      for (const [piece, { rolledIn, expired }] of truth.pieces) {
        const found = [written(piece, 'rollover'), written(piece, 'expiry')];
        assert.deepEqual(found, [rolledIn, -expired], `${piece}: rolled over, expired`);
        this.#tally.rollovers += rolledIn === 0n ? 0 : 1;
        this.#tally.expiries += expired === 0n ? 0 : 1;
      }
    }
  }

  /** All is known: clients give back what they still hold, and the leases of those that died are over. */
  async end(now: Instant): Promise<void> {
    const { reservations, ledgerReader } = this.#ledger;
    for (const { hold, expiresAt } of this.#live.values()) {
      if (hold.application === undefined || expiresAt <= now) continue;
      await reservations.post({ project: hold.project, id: hold.id }, now);
      this.#live.delete(hold.id);
    }
    await this.check(now);
    await this.checkGrants(now);
    const later = now + 365 * 86_400_000;
    for (const project of this.#money.watches.keys()) {
      const balance = await ledgerReader.balance(project, later);
      assert.equal(balance?.reserved ?? 0n, 0n, `${project}: a reservation has leaked`);
      const held = await reservations.reservations(project, { state: 'held', limit: 99 }, later);
      assert.deepEqual(held, []);
    }
  }
}
