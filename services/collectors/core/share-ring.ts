interface Member {
  /** Bytes it may be served before its turn is over; below zero after an item that was larger. */
  credit: number;
  /** Turns taken, to know how many a member has missed while it was away. */
  round: number;
}

export interface ShareRingOptions {
  /** Bytes of a turn. */
  readonly quantum: number;
  /** How many turns' worth a key gets at a time; 1 for all without it. */
  readonly weightOf?: ((key: string) => number) | undefined;
}

const SWEEP_ROUNDS = 1_024;

/**
 * Whose turn it is, among those who have something: deficit round robin, where an item is charged
 * once its size is known. Over any time in which two keys always have something, what they were
 * served differs from their weights' share by no more than a turn and an item each.
 *
 * Source: M. Shreedhar, G. Varghese, "Efficient Fair Queuing Using Deficit Round Robin", 1996.
 */
export class ShareRing {
  readonly #quantum: number;
  readonly #weightOf: (key: string) => number;
  /** In the order of their turns. */
  readonly #members = new Map<string, Member>();
  /** What keys owe that have left, so that leaving pays no debt. */
  readonly #debtors = new Map<string, Member>();
  #round = 0;
  #sweptAt = 0;

  constructor({ quantum, weightOf }: ShareRingOptions) {
    this.#quantum = quantum;
    this.#weightOf = weightOf ?? (() => 1);
  }

  get size(): number {
    return this.#members.size;
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  /** It has something from now on; its turn comes after those who wait already. */
  join(key: string): void {
    if (this.#members.has(key)) return;
    const debt = this.#debtors.get(key);
    this.#debtors.delete(key);
    const credit = debt === undefined ? 0 : Math.min(0, this.#repaid(key, debt));
    this.#members.set(key, { credit, round: this.#round });
  }

  /** It has nothing more. Credit that it didn't use is gone, what it owes stays. */
  leave(key: string): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    this.#members.delete(key);
    if (member.credit < 0) {
      this.#debtors.set(key, { credit: member.credit, round: this.#round });
    }
  }

  /** The key to serve now; undefined when nobody has something. */
  next(): string | undefined {
    for (let turned = 0; ; turned += 1) {
      const [first] = this.#members;
      if (first === undefined) return undefined;
      const [key, member] = first;
      if (member.credit > 0) return key;
      if (turned === this.#members.size) this.#skipRounds();
      this.#turn(key, member);
    }
  }

  /** Says what serving a key took. */
  charge(key: string, bytes: number): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    member.credit -= bytes;
    if (member.credit <= 0) this.#toBack(key, member);
  }

  /** The turn of a key is over, though it has something: another one is to be asked first. */
  pass(key: string): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    member.credit = Math.min(member.credit, 0);
    this.#toBack(key, member);
  }

  #toBack(key: string, member: Member): void {
    this.#members.delete(key);
    this.#members.set(key, member);
  }

  #share(key: string): number {
    return this.#quantum * this.#weightOf(key);
  }

  #repaid(key: string, { credit, round }: Member): number {
    return credit + (this.#round - round) * this.#share(key);
  }

  #turn(key: string, member: Member): void {
    member.credit += this.#share(key);
    member.round += 1;
    if (member.credit <= 0) this.#toBack(key, member);
    if (member.round <= this.#round) return;
    this.#round = member.round;
    if (this.#round - this.#sweptAt >= SWEEP_ROUNDS) this.#sweep();
  }

  /** Everyone owes more than a turn: as many rounds as the next one needs pass at once. */
  #skipRounds(): void {
    let rounds = Number.POSITIVE_INFINITY;
    for (const [key, { credit }] of this.#members) {
      rounds = Math.min(rounds, Math.floor(-credit / this.#share(key)));
    }
    if (rounds < 1) return;
    this.#round += rounds;
    for (const [key, member] of this.#members) {
      member.credit += rounds * this.#share(key);
      member.round += rounds;
    }
  }

  #sweep(): void {
    this.#sweptAt = this.#round;
    for (const [key, debt] of this.#debtors) {
      if (this.#repaid(key, debt) >= 0) this.#debtors.delete(key);
    }
  }
}
