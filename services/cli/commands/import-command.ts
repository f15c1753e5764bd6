import { Command, InvalidArgumentError } from 'commander';
import { restIngest } from '../../../shared/contracts/rest.ts';
import { DAY_MS } from '../../../shared/values/instant.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import {
  client,
  integer,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { printable } from '../printable.ts';

interface ImportFlags extends SharedOptions {
  readonly cluster: string;
  readonly project?: string;
  readonly days: number;
  readonly configuration: readonly string[];
}

function clusterName(text: string): string {
  if (/^[\w.:-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be letters, digits and . _ : - up to 64.');
}

interface Bar {
  onProgress(read: number, total: number): void;
  stop(): void;
}

async function progressBar(io: CliIo): Promise<Bar> {
  if (io.columns === undefined) return { onProgress: () => undefined, stop: () => undefined };
  const { Presets, SingleBar } = await import('cli-progress');
  const format = 'Importing {bar} {percentage} % | {read} of {size} MiB';
  const bar = new SingleBar({ format, clearOnComplete: true, fps: 5 }, Presets.shades_classic);
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  let isStarted = false;
  return {
    onProgress: (read, total) => {
      const values = { read: mib(read), size: mib(total) };
      if (isStarted) bar.update(read, values);
      else bar.start(total, read, values);
      isStarted = true;
    },
    stop: () => {
      if (isStarted) bar.stop();
    },
  };
}

async function run(io: CliIo, paths: readonly string[], options: ImportFlags): Promise<void> {
  const { importEventLogs } = await import('../../reports/import-event-logs.ts');
  const rest = client(io, options);
  const { cluster, project, days, configuration } = options;
  const headers = {
    'Tollgate-Cluster': cluster,
    ...(project === undefined ? {} : { 'Tollgate-Project': project }),
  };
  const sums = { stored: 0, duplicates: 0, refused: 0 };
  const bar = await progressBar(io);
  try {
    const summary = await importEventLogs({
      ...{ paths, cluster, configuration, signal: io.signal },
      since: io.clock.now() - days * DAY_MS,
      onProgress: bar.onProgress,
      send: async (lines) => {
        const path = '/v1/ingest/containers';
        const stored = await rest.postLines(path, restIngest, { lines, headers, clock: io.clock });
        sums.stored += stored.stored;
        sums.duplicates += stored.duplicates;
        sums.refused += stored.dropped + stored.quarantined;
      },
    });
    bar.stop();
    for (const { path, reason } of summary.problems) {
      io.err(`${printable(path)}: ${printable(reason)}\n`);
    }
    if (options.json) printJson(io, { ...summary, ...sums });
    else {
      const { attempts, tooOld } = summary;
      io.out(
        `${attempts} attempts imported: ${sums.stored} facts stored, ${sums.duplicates} were there` +
          `${sums.refused > 0 ? `, ${sums.refused} refused (tollgate quarantine list)` : ''}` +
          `${tooOld > 0 ? `; ${tooOld} started more than ${days} days ago` : ''}\n`,
      );
    }
    if (summary.problems.length + sums.refused > 0) throw new CliError(EXIT.found, '');
  } finally {
    bar.stop();
  }
}

/** `tollgate import PATH…`: old event logs into the ledger of a Tollgate that runs. */
export function importCommand(io: CliIo): Command {
  const command = new Command('import')
    .description('Charge what old event logs tell, at the prices of their time')
    .argument('<path...>', 'event logs, or folders that hold them')
    .requiredOption('--cluster <id>', 'where the applications ran', clusterName)
    .option('--project <id>', 'of applications that no attribution rule gives a project')
    .option('--days <n>', 'leave out applications that started longer ago', integer(1, 3_650), 90)
    .option('--configuration <key...>', 'also send these keys, for attribution rules', [])
    .action((paths: string[], options: ImportFlags) => run(io, paths, options));
  return withExample(
    withShared(command),
    'tollgate import /var/spark-events --cluster yarn-1 --days 90',
  );
}
