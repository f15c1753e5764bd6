import { Command } from 'commander';
import { restGrant } from '../../../shared/contracts/rest-grants.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  integer,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';

interface Options extends SharedOptions {
  readonly id: string;
  readonly reason?: string;
  readonly priority?: number;
  readonly from?: string;
  readonly expires?: string;
  readonly monthly?: true;
  readonly rollover?: string;
  readonly minRollover?: string;
}

function monthlyOf({ monthly, rollover, minRollover }: Options): object {
  if (monthly === undefined && rollover === undefined && minRollover === undefined) return {};
  const most = rollover ?? minRollover;
  return {
    monthly: {
      ...(minRollover === undefined ? {} : { minRollover }),
      ...(most === undefined ? {} : { maxRollover: most }),
    },
  };
}

/** `tollgate grant PROJECT CREDITS --id ID`: gives credits, once whatever happens on the way. */
export function grantCommand(io: CliIo): Command {
  const command = new Command('grant')
    .description('Gives credits to a project; the same id again gives nothing twice')
    .argument('<project>', 'who gets them')
    .argument('<credits>', 'how many; after --, negative ones take back')
    .requiredOption('--id <id>', 'name of the grant, unique for ever')
    .option('--reason <text>', 'why, for statements')
    .option('--priority <number>', 'from 0 to 1000; low burns first', integer(0, 1_000))
    .option('--from <instant>', 'whole UTC hour from which they hold; else the present one')
    .option('--expires <instant>', 'whole UTC hour from which they hold no longer; else never')
    .option('--monthly', 'gives them each UTC month, for that month')
    .option('--rollover <credits>', 'most that a month passes on to the next, of what it has left')
    .option('--min-rollover <credits>', 'least that a month passes on to the next')
    .action(async (project: string, credits: string, options: Options) => {
      const path = `/v1/projects/${encodeURIComponent(project)}/grants`;
      const { id, reason, priority, from, expires } = options;
      const grant = await client(io, options).post(path, restGrant, {
        id,
        credits,
        ...(reason === undefined ? {} : { reason }),
        ...(priority === undefined ? {} : { priority }),
        ...(from === undefined ? {} : { validFrom: from }),
        ...(expires === undefined ? {} : { expiresAt: expires }),
        ...monthlyOf(options),
      });
      if (options.json) return printJson(io, grant);
      const each = grant.monthly === null ? '' : ' each month';
      return io.out(`${grant.project} has ${grant.credits} credits${each} by grant ${grant.id}\n`);
    });
  return withExample(
    withShared(command),
    'tollgate grant etl 500 --id etl/2027 --expires 2028-01-01T00:00:00Z --reason "budget 2027"',
    'tollgate grant etl 100 --id etl-monthly --monthly --rollover 50 --priority 1',
    'tollgate grant etl --id oops --reason "given twice" -- -500',
  );
}
