import { Command } from 'commander';
import type { z } from 'zod';
import { restQuotaCheck } from '../../../shared/contracts/rest.ts';
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

type Check = z.infer<typeof restQuotaCheck>;

function print({ limits, reasons }: Check): string {
  const columns = [
    { title: 'LIMIT' },
    { title: 'USED', align: 'right' as const },
    { title: 'OF', align: 'right' as const },
    { title: 'MEASURED (UTC)' },
    { title: '' },
  ];
  const rows = limits.map(({ kind, used, limit, asOf, stale }) => {
    const refuses = reasons.some((one) => one.kind === kind);
    const said = [refuses ? 'refuses' : '', stale ? 'stale' : ''].filter((text) => text !== '');
    return [kind, shortCredits(used), shortCredits(limit), asOf ?? '', said.join(', ')];
  });
  return table(columns, rows);
}

/** `tollgate limits PROJECT`: every limit of a project, and whether a job may start. */
export function limitsCommand(io: CliIo): Command {
  const command = new Command('limits')
    .description('Every limit of a project, what is used of it, and whether a job may start')
    .argument('<project>', 'the project')
    .action(async (project: string, options: SharedOptions) => {
      const check = await client(io, options).post('/v1/quota-checks', restQuotaCheck, { project });
      if (options.json) return printJson(io, check);
      if (check.limits.length > 0) io.out(`${print(check)}\n`);
      return io.out(
        `${check.allowed ? 'A job may start' : 'No job may start'}: ${check.message}.\n`,
      );
    });
  return withExample(withShared(command), 'tollgate limits etl');
}
