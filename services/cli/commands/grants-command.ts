import { Command } from 'commander';
import type { z } from 'zod';
import { restGrants } from '../../../shared/contracts/rest-grants.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { table } from '../table.ts';
import { shortCredits } from './balance-command.ts';

type Grants = z.infer<typeof restGrants>;

const right = (title: string) => ({ title, align: 'right' as const });
const minute = (instant: string | null): string => instant?.slice(0, 16) ?? '';

function print({ grants, debt, segments }: Grants, history: boolean): string {
  const columns = [
    { title: 'GRANT' },
    right('PRIORITY'),
    { title: 'FROM' },
    { title: 'EXPIRES' },
    ...['GRANTED', 'USED', 'LEFT', 'EXPIRED'].map(right),
    { title: 'REASON' },
  ];
  const amounts = (one: Grants['grants'][number]['months'][number] | Grants['grants'][number]) =>
    [one.granted, one.used, one.left, one.expired].map(shortCredits);
  const rows = grants.flatMap((grant) => [
    [
      grant.id,
      `${grant.priority}`,
      minute(grant.validFrom),
      grant.monthly === null ? minute(grant.expiresAt) : 'monthly',
      ...amounts(grant),
      grant.reason,
    ],
    ...grant.months.map((month) => [`  ${month.month}`, '', '', '', ...amounts(month), '']),
  ]);
  const parts = [table(columns, rows)];
  if (debt !== '0') parts.push(`debt: ${shortCredits(debt)}, paid first by the next grant`);
  if (history) {
    const spans = segments.map(({ from, until, burns, debt: owed }) => [
      minute(from),
      minute(until),
      burns.map((burn) => `${shortCredits(burn.credits)} of ${burn.grant}`).join(', '),
      owed === '0' ? '' : shortCredits(owed),
    ]);
    parts.push(
      table([{ title: 'FROM' }, { title: 'UNTIL' }, { title: 'PAID' }, right('DEBT')], spans),
    );
  }
  return parts.join('\n');
}

/** `tollgate grants PROJECT`: what was given, and what became of it. */
export function grantsCommand(io: CliIo): Command {
  const command = new Command('grants')
    .description('Credits given to a project, and which of them paid what')
    .argument('<project>', 'whose credits')
    .option('--history', 'also which grant paid when')
    .action(async (project: string, options: SharedOptions & { readonly history?: true }) => {
      const path = `/v1/projects/${encodeURIComponent(project)}/grants`;
      const grants = await client(io, options).get(path, restGrants);
      if (options.json) return printJson(io, grants);
      return io.out(`${print(grants, options.history === true)}\n`);
    });
  return withExample(withShared(command), 'tollgate grants etl --history');
}
