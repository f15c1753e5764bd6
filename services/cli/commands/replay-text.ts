import type { RestReplayResult } from '../../../shared/contracts/rest-replay.ts';
import { parseCredits } from '../../../shared/values/money.ts';
import { table } from '../table.ts';
import { shortCredits } from './balance-command.ts';

type Project = RestReplayResult['projects'][number];

const COLUMNS = [
  'project',
  'charged',
  'replayed',
  'difference',
  'percent',
  'exhausted_at',
  'lowest',
  'refused_applications',
  'refused_charged',
] as const;

const minute = (instant: string): string => instant.slice(0, 16).replace('T', ' ');

const amountOf = (credits: string): bigint => parseCredits(credits) ?? 0n;

/** Who would pay most more first, who would pay most less last. */
function byDifference(a: Project, b: Project): number {
  const [x, y] = [amountOf(a.difference), amountOf(b.difference)];
  if (x !== y) return x > y ? -1 : 1;
  return a.project < b.project ? -1 : 1;
}

function signed(credits: string): string {
  const short = shortCredits(credits);
  return amountOf(credits) > 0n ? `+${short}` : short;
}

function percentText(percent: string | null): string {
  if (percent === null) return '';
  return percent.startsWith('-') || percent === '0.00' ? `${percent} %` : `+${percent} %`;
}

function projectRow(row: Omit<Project, 'exhaustedAt' | 'lowest' | 'refused'>): string[] {
  return [
    row.project,
    ...[row.charged, row.replayed].map(shortCredits),
    signed(row.difference),
    percentText(row.percent),
  ];
}

function projectsText({ projects, total }: RestReplayResult): string {
  const right = 'right' as const;
  const rows = projects
    .toSorted(byDifference)
    .map((row) => [
      ...projectRow(row),
      row.exhaustedAt === null ? '' : minute(row.exhaustedAt),
      row.refused.applications === 0 ? '' : String(row.refused.applications),
      row.refused.applications === 0 ? '' : shortCredits(row.refused.charged),
    ]);
  const titles = ['CHARGED', 'REPLAYED', 'DIFFERENCE', '%'];
  const columns = [
    { title: 'PROJECT' },
    ...titles.map((title) => ({ title, align: right })),
    { title: 'EXHAUSTED (UTC)' },
    { title: 'REFUSED', align: right },
    { title: 'CHARGED THEM', align: right },
  ];
  return table(columns, [...rows, [...projectRow({ project: 'TOTAL', ...total }), '', '', '']]);
}

function poolsText({ pools }: RestReplayResult): string {
  const rows = pools.map(({ pool, mean, highest, changes }) => [
    pool,
    `${mean.announced} to ${mean.replayed} X`,
    `${highest.announced} to ${highest.replayed} X`,
    `${changes.announced} to ${changes.replayed}`,
  ]);
  const titles = ['POOL', 'MEAN PRICE', 'HIGHEST', 'CHANGES'];
  return table(
    titles.map((title) => ({ title })),
    rows,
  );
}

/** Names of refused applications, where there are any. */
function refusedText({ projects }: RestReplayResult): string[] {
  return projects.flatMap(({ project, refused: { applications, first } }) => {
    if (applications === 0) return [];
    const more = applications > first.length ? `, and ${applications - first.length} more` : '';
    return [`${project} would have been refused: ${first.join(', ')}${more}`];
  });
}

/** A replay for people. */
export function replayText(result: RestReplayResult): string {
  const { from, until, containers, changed } = result;
  const counted = `${containers.toLocaleString('en-US')} containers`;
  const head = `${minute(from)} to ${minute(until)} UTC, ${counted}, with other ${changed.join(', ')}`;
  const winners = result.projects.filter(({ difference }) => amountOf(difference) < 0n).length;
  const losers = result.projects.filter(({ difference }) => amountOf(difference) > 0n).length;
  const parts = [
    head,
    projectsText(result),
    `${winners} would pay less, ${losers} more, ${result.projects.length - winners - losers} the same`,
    ...(result.pools.length === 0 ? [] : [poolsText(result)]),
    ...refusedText(result),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** One line a project, exact. Project ids need no quoting. */
export function replayCsv({ projects }: RestReplayResult): string {
  const lines = projects.map((row) =>
    [
      ...[row.project, row.charged, row.replayed, row.difference, row.percent ?? ''],
      ...[row.exhaustedAt ?? '', row.lowest ?? ''],
      ...[row.refused.applications, row.refused.charged],
    ].join(','),
  );
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`;
}
