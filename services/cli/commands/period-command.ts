import { Command } from 'commander';
import type { z } from 'zod';
import { restPeriodReport } from '../../../shared/contracts/rest-periods.ts';
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

type Answer = z.infer<typeof restPeriodReport>;
type Sums = Answer['report']['total'];

interface PeriodOptions extends SharedOptions {
  readonly project: string;
  readonly month: string;
  readonly asOf?: string;
}

const NUMBERS = ['BASE', 'SURGE', 'MINIMUM', 'INFERRED', 'AMOUNT'];

function numbers({ base, surge, minimum, coverage, amount }: Sums): string[] {
  return [base, surge, minimum, coverage.inferred, amount].map(shortCredits);
}

function print({ report, money, hash }: Answer): string {
  const rows = report.applications.flatMap((application) => [
    [application.cluster, application.application, '', ...numbers(application)],
    ...application.roles.map((role) => ['', '', role.role, ...numbers(role)]),
  ]);
  const sums = [
    ['', `hours of ${report.month}`, '', ...numbers(report.charges)],
    ...report.corrections.months.map((month) => [
      '',
      `corrections of ${month.month}`,
      '',
      ...numbers(month),
    ]),
    ['', 'total', '', ...numbers(report.total)],
  ];
  const columns = [
    ...['CLUSTER', 'APPLICATION', 'ROLE'].map((title) => ({ title })),
    ...NUMBERS.map((title) => ({ title, align: 'right' as const })),
  ];
  const head = `${report.project} ${report.month}, ${report.state}, as of ${report.cutOff}`;
  const paid =
    money === null ? '' : `${money.amount} ${money.currency} at ${money.perCredit} a credit\n`;
  return `${head}\n\n${table(columns, [...rows, ...sums])}\n\n${paid}${hash}`;
}

/** `tollgate period`: a month of a project's books, the same for the same cut-off for ever. */
export function periodCommand(io: CliIo): Command {
  const command = new Command('period')
    .description("A month of a project's books: totals, corrections, and their hash")
    .requiredOption('-p, --project <id>', 'whose books')
    .requiredOption('-m, --month <month>', 'month in UTC, such as 2026-10')
    .option('--as-of <time>', 'as it was known then: ISO 8601 with a zone, or such as -7d')
    .action(async (options: PeriodOptions) => {
      const { project, month, asOf } = options;
      const path = `/v1/projects/${encodeURIComponent(project)}/periods/${encodeURIComponent(month)}`;
      const answer = await client(io, options).get(path, restPeriodReport, { asOf });
      if (options.json) return printJson(io, answer);
      return io.out(`${print(answer)}\n`);
    });
  return withExample(withShared(command), 'tollgate period --project etl --month 2026-10');
}
