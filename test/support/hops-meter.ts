/**
 * The arithmetic of Hops' meter (hopshadoop/hops@90d5424d04, QuotaService.java and
 * PriceMultiplicatorService.java), as far as its defects need it. Money is a 32-bit float there, so
 * that every sum goes through Math.fround; times are wall-clock ms.
 */
interface HopsContainer {
  readonly id: string;
  readonly vcores: number;
  readonly memoryMib: number;
  readonly gpus: number;
}

const MIN_RUNTIME_MS = 10_000;
const MINIMUM_CHARGED_MIB = 1_024;
const DAY_MS = 86_400_000;

export interface HopsOptions {
  /** Off: nothing ever fills the map of multiplicators. */
  readonly variablePrice: boolean;
}

export class HopsMeter {
  /** `totalUsedQuota` and `remainingQuota` of the one project. */
  total = 0;
  remaining: number;
  /** `yarn_projects_daily_cost`, by UTC day. */
  readonly daily = new Map<string, number>();
  /** Each write transaction, all of them on the project's row. */
  transactions = 0;
  /** The least that one posting came to: below zero it is a refund. */
  leastPosting = 0;
  /** While true every transaction fails with an IOException, which is logged. */
  databaseFails = false;

  readonly #multiplicators = new Map<'GENERAL' | 'GPU', number>();
  readonly #running = new Map<string, { container: HopsContainer; start: number }>();
  readonly #chargedUntil = new Map<string, number>();

  constructor(options: HopsOptions = { variablePrice: true }, remaining = 0) {
    this.remaining = remaining;
    if (!options.variablePrice) return;
    this.#multiplicators.set('GENERAL', 1).set('GPU', 1);
  }

  /** At allocation; after a failover again, with the creation time that its node reports. */
  started(container: HopsContainer, createdAt: number): void {
    this.#running.set(container.id, { container, start: createdAt });
    this.#chargedUntil.set(container.id, createdAt);
  }

  /** A new Resource Manager: the maps were in the memory of the old one. */
  failover(): void {
    this.#running.clear();
    this.#chargedUntil.clear();
  }

  /** Each 10 s: one transaction for every running container. */
  tick(now: number): void {
    for (const { container } of this.#running.values()) {
      this.#charge(container, now - (this.#chargedUntil.get(container.id) ?? now), now);
      this.#chargedUntil.set(container.id, now);
    }
  }

  finished(id: string, now: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    const chargedUntil = this.#chargedUntil.get(id) ?? now;
    // Cleared before the transaction: what it loses, nobody remembers.
    this.#running.delete(id);
    this.#chargedUntil.delete(id);
    const short = now - running.start < MIN_RUNTIME_MS;
    const end = short ? running.start + MIN_RUNTIME_MS - chargedUntil : now;
    this.#charge(running.container, end - chargedUntil, now);
  }

  #charge({ vcores, memoryMib, gpus }: HopsContainer, usedMs: number, now: number): void {
    const seconds = Math.fround(usedMs / 1_000);
    const size = Math.max(vcores, memoryMib / MINIMUM_CHARGED_MIB);
    const general = Math.fround(seconds * size * this.#multiplicator('GENERAL'));
    const gpu = gpus === 0 ? 0 : Math.fround(seconds * gpus * this.#multiplicator('GPU'));
    this.#post(Math.max(gpu, general), now);
  }

  #multiplicator(type: 'GENERAL' | 'GPU'): number {
    const multiplicator = this.#multiplicators.get(type);
    // Java unboxes a null here; AsyncDispatcher ends the process on what isn't an IOException.
    if (multiplicator === undefined) throw new TypeError('NullPointerException: the RM has exited');
    return multiplicator;
  }

  #post(credit: number, now: number): void {
    this.transactions += 1;
    if (this.databaseFails) return;
    this.leastPosting = Math.min(this.leastPosting, credit);
    this.total = Math.fround(this.total + credit);
    this.remaining = Math.fround(this.remaining - credit);
    // The day of settlement, not of use.
    const day = new Date(Math.floor(now / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
    this.daily.set(day, Math.fround((this.daily.get(day) ?? 0) + credit));
  }
}
