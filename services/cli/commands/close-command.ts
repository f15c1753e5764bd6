import { Command } from 'commander';
import { restClosedPeriod } from '../../../shared/contracts/rest-periods.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';

interface CloseOptions extends SharedOptions {
  readonly month: string;
}

/** `tollgate close`: freezes a month's books, and those before it. */
export function closeCommand(io: CliIo): Command {
  const command = new Command('close')
    .description('Close a month for ever; later facts are booked in the next one')
    .requiredOption('-m, --month <month>', 'month in UTC, such as 2026-10')
    .action(async (options: CloseOptions) => {
      const path = `/v1/periods/${encodeURIComponent(options.month)}/close`;
      const closed = await client(io, options).post(path, restClosedPeriod, {});
      if (options.json) return printJson(io, closed);
      const { month, closedAt, closedBy } = closed;
      const by = closedBy === '' ? '' : ` by ${closedBy}`;
      const together = month === options.month ? '' : `, with ${month}`;
      return io.out(`${options.month} is closed since ${closedAt}${by}${together}\n`);
    });
  return withExample(withShared(command), 'tollgate close --month 2026-10');
}
