import assert from 'node:assert/strict';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Ledger } from '../../../shared/stores/sql/open-ledger.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { type Month, monthEnd } from '../../../shared/values/month.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { allCharges } from '../../support/metering-run.ts';
import type { Tally } from './play-money.ts';

const CLOSED: Month = '2026-11';
const NEXT: Month = '2026-12';

/** A month that somebody closes as soon as that is possible, and what its books say from then on. */
export class PlayedBooks {
  readonly #ledger: Ledger;
  readonly #tally: Tally;
  #closed: Map<ProjectId, string> | undefined;

  constructor(ledger: Ledger, tally: Tally) {
    this.#ledger = ledger;
    this.#tally = tally;
  }

  /** Closes the month if that is possible by now. */
  async close(now: Instant): Promise<void> {
    if (this.#closed !== undefined || now < monthEnd(CLOSED)) return;
    try {
      await this.#ledger.periods.close({ month: CLOSED, at: now, by: 'simulation' });
    } catch (error) {
      if (error instanceof AppError && error.code === 'CONFLICT') return;
      throw error;
    }
    this.#closed = await this.#books();
  }

  async #rows(project: ProjectId, month: Month) {
    return (await Array.fromAsync(this.#ledger.periods.booked(project, month, 100))).flat();
  }

  async #books(): Promise<Map<ProjectId, string>> {
    const books = new Map<ProjectId, string>();
    for (const project of await this.#ledger.ledgerReader.projects()) {
      const rows = await this.#rows(project, CLOSED);
      books.set(
        project,
        JSON.stringify(rows, (_, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        ),
      );
    }
    return books;
  }

  /** No row of a closed month has changed or come, and the months together are all that was charged. */
  async check(): Promise<void> {
    if (this.#closed === undefined) return;
    const books = await this.#books();
    for (const [project, rows] of books) {
      assert.equal(rows, this.#closed.get(project) ?? '[]', `${project}: a closed month changed`);
    }
    this.#tally.closings += 1;
    const all = await allCharges(this.#ledger);
    this.#tally.corrections += all.filter((row) => row.booked !== undefined).length;
    for (const project of books.keys()) {
      const booked = [
        ...(await this.#rows(project, CLOSED)),
        ...(await this.#rows(project, NEXT)),
      ].reduce((sum, { amount }) => sum + amount, 0n);
      const own = all.filter((row) => row.project === project);
      assert.equal(
        booked,
        own.reduce((sum, { amount }) => sum + amount, 0n),
      );
    }
  }
}
