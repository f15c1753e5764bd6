import type { Charge } from '../contracts/charge.ts';
import type { Instant } from '../values/instant.ts';
import type { Month } from '../values/month.ts';
import type { ProjectId } from '../values/project-id.ts';

/** A month whose books are closed for ever, with all months before it. */
export interface ClosedPeriod {
  readonly month: Month;
  /** Every row of the month was stored by then. */
  readonly closedAt: Instant;
  /** Who closed it, as the token is called. */
  readonly closedBy: string;
}

/** The books, month by month. */
export interface PeriodStore {
  /** In the order of months. One that isn't among them is closed with the next that is. */
  closed(): Promise<ClosedPeriod[]>;
  /** Every row stored before this instant is there, of whatever shard, and no more will come. */
  knownUntil(): Promise<Instant>;
  /**
   * Rows in a month's books, in pages: those of its own hours, and those of earlier months that came
   * after these were closed.
   */
  booked(project: ProjectId, month: Month, pageSize: number): AsyncIterable<Charge[]>;
  /**
   * Closes a month and those before it; when it is closed already, tells how. There is no way back.
   *
   * @param order.at now
   * @throws AppError CONFLICT while facts or containers up to its end aren't settled
   */
  close(order: {
    readonly month: Month;
    readonly at: Instant;
    readonly by: string;
  }): Promise<ClosedPeriod>;
}
