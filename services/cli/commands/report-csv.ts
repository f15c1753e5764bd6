import type { CostReport } from '../../../shared/contracts/cost-report.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';

const COLUMNS = [
  'group',
  'project',
  'application',
  'attempt',
  'name',
  'user',
  'queue',
  'start',
  'end',
  'end_inferred',
  'role',
  'containers',
  'container_ms',
  'millicore_ms',
  'mib_ms',
  'gpu_ms',
  'credits',
  'slot_ms',
  'useful_ms',
  'wasted_ms',
  'idle_ms',
  'tail_ms',
  'start_up_ms',
  'inferred_credits',
] as const;

const SHARE_COLUMNS = [
  'project',
  'application',
  'attempt',
  'owner',
  'shared_by',
  'share',
  'task_ms',
  'unused_method',
  'worked_credits',
  'unused_credits',
  'credits',
] as const;

/**
 * RFC 4180, without control characters, as names come from tenants. A text that a spreadsheet would
 * run as a formula is made text by a quote before it.
 */
function cell(value: string | number | bigint | boolean): string {
  if (typeof value !== 'string') return value.toString();
  const clean = value.replace(/\p{Cc}/gu, '\ufffd');
  const text = /^[=+\-@]/.test(clean) ? `'${clean}` : clean;
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line for each attempt and sharer; their credits add up to the attempt's. */
function sharesCsv({ groups, sharedBy = '', unused: method }: CostReport): string {
  const lines = [SHARE_COLUMNS.join(',')];
  for (const { attempts } of groups) {
    for (const { project, application, attempt, user, shares } of attempts) {
      for (const { key, taskMs, worked, unused } of shares) {
        const cells = [
          ...[project, application, attempt, user, sharedBy, key, taskMs, method],
          ...[worked, unused, worked + unused].map(formatCredits),
        ];
        lines.push(cells.map(cell).join(','));
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/**
 * One line for each attempt and role, exact, so that any sum can be made of them. Slot times stand
 * on the executors' line and are 0 on the others.
 */
export function reportCsv(report: CostReport): string {
  if (report.sharedBy !== undefined) return sharesCsv(report);
  const lines = [COLUMNS.join(',')];
  for (const group of report.groups) {
    for (const attempt of group.attempts) {
      const { project, application, name, user, queue, start, end, endInferred, slots } = attempt;
      for (const { role, containers, quantity, amount, inferred } of attempt.rows) {
        const { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs } = slots;
        const split = [slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs];
        const cells = [
          ...[group.key, project, application, attempt.attempt, name, user, queue],
          ...[formatInstant(start), formatInstant(end), endInferred, role, containers],
          ...[quantity.containerMs, quantity.millicoreMs, quantity.mibMs, quantity.gpuMs],
          formatCredits(amount),
          ...(role === 'executor' ? split : split.map(() => 0)),
          formatCredits(inferred),
        ];
        lines.push(cells.map(cell).join(','));
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
