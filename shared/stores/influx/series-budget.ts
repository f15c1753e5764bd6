/**
 * How many series there may be in the server. The server's own count is asked now and then; in
 * between new ones are added to it. A server that can't tell (2.x) is given as many as are live here.
 */
export class SeriesBudget {
  readonly #limit: number;
  #counted: number | undefined;
  #fresh = 0;
  #live = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether one more may come; then it has come. */
  admit(): boolean {
    const used = this.#counted === undefined ? this.#live : this.#counted + this.#fresh;
    if (used >= this.#limit) return false;
    this.#fresh += 1;
    this.#live += 1;
    return true;
  }

  /** An admitted series isn't written any more. It stays in the server until its retention is over. */
  leave(): void {
    this.#live -= 1;
  }

  countedByServer(series: number): void {
    this.#counted = series;
    this.#fresh = 0;
  }
}
