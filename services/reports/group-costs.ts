import { addQuantity } from '../../shared/contracts/charge.ts';
import type { CostGroup, ReportedAttempt, UseRow } from '../../shared/contracts/cost-report.ts';
import { SHARERS, type Sharer } from '../../shared/event-log/shared-task-time.ts';
import { addSlotTotals, NO_SLOT_TIME } from '../../shared/event-log/slot-time.ts';
import { sumShares } from '../../shared/rating/split-shared.ts';

/** `application`, `project` or `tag:KEY`. */
export type Grouping = 'application' | 'project' | `tag:${string}`;

/** Undefined for what is no grouping. */
export function parseGrouping(text: string): Grouping | undefined {
  if (text === 'application' || text === 'project') return text;
  return text.length > 4 && text.startsWith('tag:') ? (text as Grouping) : undefined;
}

/** Undefined for what doesn't tell the sharers of an application apart. */
export function parseSharer(text: string): Sharer | undefined {
  return SHARERS.find((sharer) => sharer === text);
}

function keyOf(attempt: ReportedAttempt, by: Grouping): string {
  if (by === 'application') return attempt.application;
  if (by === 'project') return attempt.project;
  const tag = by.slice('tag:'.length);
  return Object.hasOwn(attempt.tags, tag) ? (attempt.tags[tag] ?? '') : '';
}

/** One row a role, in the order in which roles first come. */
function sumRows(rows: readonly UseRow[]): UseRow[] {
  const sums = new Map<string, UseRow>();
  for (const row of rows) {
    const sum = sums.get(row.role);
    sums.set(
      row.role,
      sum === undefined
        ? row
        : {
            role: row.role,
            containers: sum.containers + row.containers,
            quantity: addQuantity(sum.quantity, row.quantity),
            amount: sum.amount + row.amount,
            inferred: sum.inferred + row.inferred,
          },
    );
  }
  return [...sums.values()];
}

/** Attempts as one group; all sums are of integers. */
export function sumGroup(key: string, attempts: readonly ReportedAttempt[]): CostGroup {
  return {
    key,
    attempts,
    rows: sumRows(attempts.flatMap(({ rows }) => rows)),
    slots: attempts.reduce((sum, { slots }) => addSlotTotals(sum, slots), NO_SLOT_TIME),
    taskRunMs: attempts.reduce((sum, attempt) => sum + attempt.taskRunMs, 0),
    shares: sumShares(attempts.flatMap(({ shares }) => shares)),
  };
}

/** Groups in order of their first start; what lacks the tag is the group ''. */
export function groupCosts(attempts: readonly ReportedAttempt[], by: Grouping): CostGroup[] {
  const groups = new Map<string, ReportedAttempt[]>();
  for (const attempt of [...attempts].sort((a, b) => a.start - b.start)) {
    const key = keyOf(attempt, by);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [attempt]);
    else group.push(attempt);
  }
  return [...groups].map(([key, members]) => sumGroup(key, members));
}
