import { Command } from 'commander';
import type { CliIo } from '../cli-io.ts';
import { CliError, EXIT } from '../cli-io.ts';
import { integer, withExample } from '../command-options.ts';
import { packageVersion } from '../package-version.ts';
import { runUntilSignal } from '../run-until-signal.ts';
import { DEFAULT_CONFIG_FILE, readConfigFile } from './config-command.ts';

interface Options {
  readonly config: string;
  readonly port?: number;
  readonly data?: string;
}

async function start(io: CliIo, { config: file, port, data }: Options): Promise<void> {
  // Imported when it is needed, so that other commands start fast.
  const { tollgateConfig } = await import('../../all-in-one/config.ts');
  const { startAllInOne } = await import('../../all-in-one/start.ts');
  const config = readConfigFile(io, tollgateConfig, file);
  const crash = Promise.withResolvers<string>();
  const running = await startAllInOne({
    config: {
      ...config,
      ...(data === undefined ? {} : { dataFolder: data }),
      api: port === undefined ? config.api : { ...config.api, port },
    },
    mode: 'start',
    version: packageVersion(import.meta.url),
    onCrash: (part, error) => {
      io.err(`the ${part} part has ended: ${String(error)}\n`);
      crash.resolve(part);
    },
  });
  io.err(`Tollgate is ready on ${running.url}\n`);
  if (running.adminLink !== undefined) {
    io.err(`Nobody has an admin token yet. Sign in with this link, once, within the hour:\n`);
    io.err(`  ${running.adminLink}\n`);
  }
  const ended = await runUntilSignal(running, crash.promise, io);
  if (ended === 'crash') throw new CliError(EXIT.internal, 'a part has ended by itself');
}

/** `tollgate start`: every service in this process. */
export function startCommand(io: CliIo): Command {
  const command = new Command('start')
    .description('Run every service in this process, as tollgate.yaml says')
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG_FILE)
    .option(
      '--port <port>',
      'port of the API and the page, instead of api.port',
      integer(0, 65_535),
    )
    .option('--data <folder>', 'data folder, instead of dataFolder')
    .action((options: Options) => start(io, options));
  return withExample(command, 'tollgate start -c /etc/tollgate.yaml');
}
