import { addQuantity, NO_QUANTITY } from '../../../shared/contracts/charge.ts';
import type { CostGroup, CostReport, UseRow } from '../../../shared/contracts/cost-report.ts';
import { OWNER } from '../../../shared/rating/split-shared.ts';
import { divideHalfEven } from '../../../shared/values/divide-half-even.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { printable } from '../printable.ts';

/** How text is made to stand out; without a terminal that can, not at all. */
interface Style {
  bold(text: string): string;
  dim(text: string): string;
}

const COLUMNS = [24, 6, 13, 13, 13, 10, 15] as const;
const HEADINGS = ['', 'count', 'container s', 'core s', 'GiB s', 'GPU s', 'credits'] as const;
const ROLE_NAMES = {
  executor: 'executors',
  driver: 'driver',
  'application-master': 'application master',
} as const;
const WIDTH = 100;
const MS_PER_SECOND = 1_000n;
/** Ids listed for a group of many applications; `--json` has them all. */
const MAX_LISTED = 3;
const MAX_SHARES = 50;
/** With its indent and count, what the first two columns have room for. */
const SHARE_CHARS = 25;

function styleOf(isStyled: boolean): Style {
  if (!isStyled) return { bold: (text) => text, dim: (text) => text };
  return {
    bold: (text) => `\u001b[1m${text}\u001b[22m`,
    dim: (text) => `\u001b[2m${text}\u001b[22m`,
  };
}

/** Names come from tenants: nothing in them may steer a terminal or break a line. */
function plain(text: string): string {
  return printable(text.replace(/[\t\n]/g, ' '));
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** A decimal with thousands separators, rounded half to even. */
function decimal(amount: bigint, unit: bigint, places: number): string {
  const scale = 10n ** BigInt(places);
  const scaled = divideHalfEven(amount * scale, unit);
  const whole = (scaled / scale).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  return places === 0 ? whole : `${whole}.${(scaled % scale).toString().padStart(places, '0')}`;
}

function line(cells: readonly string[]): string {
  return COLUMNS.map((width, column) => {
    const cell = cells[column] ?? '';
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  })
    .join('')
    .trimEnd();
}

function useLine(label: string, row: Omit<UseRow, 'role'>): string {
  const { containerMs, millicoreMs, mibMs, gpuMs } = row.quantity;
  return line([
    `  ${label}`,
    row.containers.toString(),
    decimal(containerMs, MS_PER_SECOND, 1),
    decimal(millicoreMs, 1_000n * MS_PER_SECOND, 1),
    decimal(mibMs, 1_024n * MS_PER_SECOND, 1),
    decimal(gpuMs, MS_PER_SECOND, 1),
    decimal(row.amount, 1_000_000_000n, 4),
  ]);
}

function sumOf(rows: readonly UseRow[]): Omit<UseRow, 'role'> {
  return rows.reduce(
    (sum, row) => ({
      containers: sum.containers + row.containers,
      quantity: addQuantity(sum.quantity, row.quantity),
      amount: sum.amount + row.amount,
      inferred: sum.inferred + row.inferred,
    }),
    { containers: 0, quantity: NO_QUANTITY, amount: 0n, inferred: 0n },
  );
}

/** How sure the total is; a log tells nothing that is only estimated. */
function coverageLine({ rows }: CostGroup): string {
  const { amount, inferred } = sumOf(rows);
  const [exact, rest] = [amount - inferred, inferred].map((part) =>
    decimal(part, 1_000_000_000n, 4),
  );
  return `  credits: ${exact} exact · ${rest} inferred · 0 estimated`;
}

/** Where the slot time went, in percent that add up to 100.0 (largest remainder). */
function slotLine(group: CostGroup): string | undefined {
  const { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs } = group.slots;
  if (slotMs === 0) return undefined;
  const parts = [
    ['useful', usefulMs],
    ['wasted', wastedMs],
    ['idle', idleMs],
    ['tail', tailMs],
    ['start-up', startUpMs],
  ] as const;
  const exact = parts.map(([name, ms]) => ({ name, tenths: (ms / slotMs) * 1000 }));
  const shares = exact.map(({ name, tenths }) => ({
    name,
    tenths: Math.floor(tenths),
    rest: tenths - Math.floor(tenths),
  }));
  let left = 1000 - shares.reduce((sum, { tenths }) => sum + tenths, 0);
  for (const share of [...shares].sort((a, b) => b.rest - a.rest)) {
    if (left <= 0) break;
    share.tenths += 1;
    left -= 1;
  }
  const text = shares
    .map(({ name, tenths }) => `${name} ${(tenths / 10).toFixed(1)} %`)
    .join(' · ');
  return `  ${decimal(BigInt(slotMs), MS_PER_SECOND, 1)} slot s: ${text}`;
}

function titleOf(group: CostGroup, by: string): string {
  const [first] = group.attempts;
  if (first === undefined || by !== 'application') {
    return group.key === '' ? '(without this tag)' : plain(group.key);
  }
  const name = first.name === '' ? '' : `  ${plain(first.name)}`;
  const user = first.user === '' ? '' : ` · ${plain(first.user)}`;
  const attempts = group.attempts.length > 1 ? ` · ${group.attempts.length} attempts` : '';
  return `${plain(first.application)}${name}${user} · project ${first.project}${attempts}`;
}

/** What has to be known of a group: when it ran, whose end was inferred, what was odd. */
function* remarks(group: CostGroup, by: string): Generator<string> {
  const [first] = group.attempts;
  if (first === undefined) return;
  if (by === 'application') {
    const start = Math.min(...group.attempts.map((attempt) => attempt.start));
    const end = Math.max(...group.attempts.map((attempt) => attempt.end));
    const version = plain(first.sparkVersion) || 'unknown';
    const ran = decimal(BigInt(group.taskRunMs), MS_PER_SECOND, 1);
    yield `${formatInstant(start)} to ${formatInstant(end)}, Spark ${version}, tasks ran ${ran} s`;
  } else {
    const ids = group.attempts.slice(0, MAX_LISTED).map(({ application }) => plain(application));
    const more = group.attempts.length - ids.length;
    yield `${group.attempts.length} attempts: ${ids.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  }
  const notes = new Map<string, { times: number; text: string; attempts: string[] }>();
  for (const attempt of group.attempts) {
    for (const { kind, times, text } of attempt.notes) {
      const note = notes.get(kind) ?? { times: 0, text, attempts: [] };
      notes.set(kind, note);
      note.times += times;
      note.attempts.push(by === 'application' ? attempt.attempt : attempt.application);
    }
  }
  for (const { times, text, attempts } of notes.values()) {
    const named = group.attempts.length > 1 ? attempts.filter((name) => name !== '') : [];
    const where =
      named.length === 0 || named.length > MAX_LISTED
        ? ''
        : ` (${by === 'application' ? 'attempt ' : ''}${named.map(plain).join(', ')})`;
    yield `note: ${text}${times > 1 ? ` · ${times} times` : ''}${where}`;
  }
}

/** What each sharer pays, below the sum that the shares add up to. */
function* shareLines({ shares }: CostGroup): Generator<string> {
  if (shares.length === 0) return;
  yield line(['  shared by', '', 'task s', '', 'worked', 'unused', 'credits']);
  for (const { key, taskMs, worked, unused } of shares.slice(0, MAX_SHARES)) {
    const label = key === OWNER ? '(owner)' : plain(key);
    const credits = [worked, unused, worked + unused].map((amount) =>
      decimal(amount, 1_000_000_000n, 4),
    );
    const seconds = decimal(BigInt(taskMs), MS_PER_SECOND, 1);
    yield line([`    ${cut(label, SHARE_CHARS)}`, '', seconds, '', ...credits]);
  }
  const more = shares.length - MAX_SHARES;
  if (more > 0) yield `    and ${more} more; --json and --csv have them all`;
}

function* groupLines(group: CostGroup, title: string, by: string): Generator<string> {
  yield title;
  for (const row of group.rows) yield useLine(ROLE_NAMES[row.role], row);
  if (group.rows.length > 1) yield useLine('total', sumOf(group.rows));
  if (group.rows.length === 0) yield '  no container was seen';
  else yield coverageLine(group);
  yield* shareLines(group);
  const slots = slotLine(group);
  if (slots !== undefined) yield slots;
  for (const remark of remarks(group, by)) yield `  ${remark}`;
}

/** The report for people, at most 100 columns wide. Ends with a newline. */
export function reportText(report: CostReport, isStyled: boolean): string {
  const { bold, dim } = styleOf(isStyled);
  const lines: string[] = [];
  if (report.total.attempts.length > 0) lines.push(dim(line(HEADINGS)));
  for (const group of report.groups) {
    const [title = '', ...rest] = [
      ...groupLines(group, cut(titleOf(group, report.by), WIDTH), report.by),
    ];
    const isRemark = (text: string): boolean => /^ {2}(\d{4}-|note|\d+ attempts)/.test(text);
    lines.push(
      bold(title),
      ...rest.map((text) => (isRemark(text) ? dim(cut(text, WIDTH)) : text)),
      '',
    );
  }
  if (report.groups.length > 1) {
    const [title = '', ...rest] = [
      ...groupLines({ ...report.total, attempts: [] }, 'ALL', report.by),
    ];
    lines.push(bold(title), ...rest, '');
  }
  if (report.total.attempts.length > 0) {
    const rounded = 'Numbers are rounded for display; --json and --csv have them exact.';
    lines.push(dim(`Rate card "${plain(report.rateCard.id)}" at 1.00 X. ${rounded}`));
  }
  for (const { path, of } of report.duplicates) {
    lines.push(`counted once: ${plain(path)} tells the same attempt as ${plain(of)}`);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** The files that could not be read, for stderr; '' when there are none. */
export function problemsText(report: CostReport): string {
  const lines = report.problems.map(({ path, reason }) => `${plain(path)}: ${plain(reason)}`);
  if (report.total.attempts.length === 0) {
    lines.push(
      'No event log was found. Spark writes them to spark.eventLog.dir when it runs with ' +
        'spark.eventLog.enabled=true; name such files or their folder.',
    );
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
