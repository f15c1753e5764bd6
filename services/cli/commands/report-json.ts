import type { CostGroup, CostReport, UseRow } from '../../../shared/contracts/cost-report.ts';
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

function usageJson({ rows, slots, taskRunMs }: Pick<CostGroup, 'rows' | 'slots' | 'taskRunMs'>) {
  return { rows: rows.map(rowJson), coverage: coverageJson(rows), slots, taskRunMs };
}

function groupJson(group: CostGroup) {
  return {
    key: group.key,
    ...usageJson(group),
    attempts: group.attempts.map(({ start, end, rows, slots, taskRunMs, ...attempt }) => ({
      ...attempt,
      start: formatInstant(start),
      end: formatInstant(end),
      ...usageJson({ rows, slots, taskRunMs }),
    })),
  };
}

/**
 * The report for programs: amounts of use are integers in strings (resource × ms), credits exact
 * decimals, slot times ms of one task slot. Ends with a newline.
 */
export function reportJson(report: CostReport): string {
  const { by, rateCard, groups, total, problems, duplicates } = report;
  const json = {
    version: 1,
    by,
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
