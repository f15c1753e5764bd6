import { Command, Option } from 'commander';
import { restQuarantine, restReplay } from '../../../shared/contracts/rest.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  integer,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { table } from '../table.ts';

interface FilterOptions extends SharedOptions {
  readonly collector?: string;
  readonly reason?: string;
  readonly project?: string;
  readonly limit: number;
}

const RAW_SHOWN = 80;

function withFilter(command: Command): Command {
  return withShared(command)
    .addOption(
      new Option('--collector <name>', 'only records of this collector').choices([
        'logs',
        'progress',
        'metrics',
        'containers',
      ]),
    )
    .option('--reason <name>', 'only records with this reason')
    .option('--project <id>', 'only records of this project')
    .option('-n, --limit <records>', 'records at most', integer(1, 1_000), 100);
}

function cut(text: string): string {
  return text.length > RAW_SHOWN ? `${text.slice(0, RAW_SHOWN)}…` : text;
}

function listCommand(io: CliIo): Command {
  const command = new Command('list')
    .description('How many records wait for which reason, and the records')
    .action(async (options: FilterOptions) => {
      const { collector, reason, project, limit } = options;
      const answer = await client(io, options).get('/v1/quarantine', restQuarantine, {
        ...{ collector, reason, project, limit },
      });
      if (options.json) return printJson(io, answer);
      if (answer.counts.length === 0) return io.out('The quarantine is empty.\n');
      const counts = answer.counts.map((one) => [String(one.records), one.collector, one.reason]);
      const countColumns = [
        { title: 'RECORDS', align: 'right' as const },
        { title: 'COLLECTOR' },
        { title: 'REASON' },
      ];
      io.out(`${table(countColumns, counts)}\n\n`);
      const columns = ['OBSERVED (UTC)', 'COLLECTOR', 'REASON', 'PROJECT', 'SOURCE', 'RECORD'];
      const rows = answer.records.map((one) => [
        ...[one.observedAt, one.collector, one.reason, one.project, one.source],
        cut(one.raw),
      ]);
      return io.out(
        `${table(
          columns.map((title) => ({ title })),
          rows,
        )}\n`,
      );
    });
  return withExample(withFilter(command), 'tollgate quarantine list --collector progress');
}

function replayCommand(io: CliIo): Command {
  const command = new Command('replay')
    .description('Send refused records through their collector again')
    .action(async (options: FilterOptions) => {
      const { collector, reason, project, limit } = options;
      const answer = await client(io, options).post('/v1/quarantine/replay', restReplay, {
        ...{ collector, reason, project, limit },
      });
      if (options.json) return printJson(io, answer);
      return io.out(`${answer.replayed} records were tried again, ${answer.stored} are stored.\n`);
    });
  return withExample(withFilter(command), 'tollgate quarantine replay --reason not-json');
}

/** `tollgate quarantine list|replay`: records that were refused. */
export function quarantineCommand(io: CliIo): Command {
  const command = new Command('quarantine').description('Records that were refused, and why');
  command.addCommand(listCommand(io)).addCommand(replayCommand(io));
  return withExample(command, 'tollgate quarantine list');
}
