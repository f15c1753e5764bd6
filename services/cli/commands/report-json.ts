import type { CostGroup, CostReport, UseRow } from '../../../shared/contracts/cost-report.ts';
import type { CostShare } from '../../../shared/rating/split-shared.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';

function rowJson({ role, containers, quantity, amount, inferred }: UseRow) {
  return {
    role,
    containers,
    containerMs: quantity.containerMs.toString(),
    millicoreMs: quantity.millicoreMs.toString(),
    mibMs: quantity.mibMs.toString(),
    gpuMs: quantity.gpuMs.toString(),
    credits: formatCredits(amount),
    inferredCredits: formatCredits(inferred),
  };
}

/** As the REST API tells it; a log has nothing that is only estimated. */
function coverageJson(rows: readonly UseRow[]) {
  const sum = (of: 'amount' | 'inferred') => rows.reduce((total, row) => total + row[of], 0n);
  const inferred = sum('inferred');
  return {
    exact: formatCredits(sum('amount') - inferred),
    inferred: formatCredits(inferred),
    estimated: '0',
  };
}

function shareJson({ key, taskMs, worked, unused }: CostShare) {
  return {
    key,
    taskMs,
    worked: formatCredits(worked),
    unused: formatCredits(unused),
    credits: formatCredits(worked + unused),
  };
}

function usageJson({
  rows,
  slots,
  taskRunMs,
  shares,
}: Pick<CostGroup, 'rows' | 'slots' | 'taskRunMs' | 'shares'>) {
  return {
    rows: rows.map(rowJson),
    coverage: coverageJson(rows),
    slots,
    taskRunMs,
    ...(shares.length === 0 ? {} : { shares: shares.map(shareJson) }),
  };
}

function groupJson(group: CostGroup) {
  return {
    key: group.key,
    ...usageJson(group),
    attempts: group.attempts.map(({ start, end, rows, slots, taskRunMs, shares, ...attempt }) => ({
      ...attempt,
      start: formatInstant(start),
      end: formatInstant(end),
      ...usageJson({ rows, slots, taskRunMs, shares }),
    })),
  };
}

/**
 * The report for programs: amounts of use are integers in strings (resource × ms), credits exact
 * decimals, slot times ms of one task slot. Ends with a newline.
 */
export function reportJson(report: CostReport): string {
  const { by, sharedBy, unused, rateCard, groups, total, problems, duplicates } = report;
  const json = {
    version: 1,
    by,
    ...(sharedBy === undefined ? {} : { sharedBy, unused }),
    rateCard: {
      id: rateCard.id,
      coreSecond: formatCredits(rateCard.coreSecond),
      gibSecond: formatCredits(rateCard.gibSecond),
      gpuSecond: formatCredits(rateCard.gpuSecond),
      rule: rateCard.rule ?? 'additive',
      minimum: formatCredits(rateCard.minimum ?? 0n),
    },
    groups: groups.map(groupJson),
    total: usageJson(total),
    problems,
    duplicates,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
