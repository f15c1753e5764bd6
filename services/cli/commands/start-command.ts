import { Command } from 'commander';
import type { CliIo } from '../cli-io.ts';
import { CliError, EXIT } from '../cli-io.ts';
import { integer, withExample } from '../command-options.ts';
import { packageVersion } from '../package-version.ts';
import { runUntilSignal } from '../run-until-signal.ts';
import { startWhenStoresAnswer } from '../start-when-stores-answer.ts';
import { DEFAULT_CONFIG_FILE, readConfigFile } from './config-command.ts';

interface Options {
  readonly config: string;
  readonly port?: number;
  readonly data?: string;
}

type Role = 'collect' | 'meter' | 'alert' | 'serve';

async function start(
  io: CliIo,
  { config: file, port, data }: Options,
  roles: readonly Role[] | undefined,
): Promise<void> {
  // Imported when it is needed, so that other commands start fast.
  const { tollgateConfig } = await import('../../all-in-one/config.ts');
  const config = readConfigFile(io, tollgateConfig, file);
  if (!config.threads) (await import('../../all-in-one/keep-heap-small.ts')).keepHeapSmall();
  const { startAllInOne } = await import('../../all-in-one/start.ts');
  const crash = Promise.withResolvers<string>();
  const begin = {
    config: {
      ...config,
      ...(data === undefined ? {} : { dataFolder: data }),
      api: port === undefined ? config.api : { ...config.api, port },
    },
    mode: 'start' as const,
    enforcementWord: io.env['TOLLGATE_ENFORCEMENT'],
    version: packageVersion(import.meta.url),
    ...(roles === undefined ? {} : { roles }),
    onCrash: (part: string, error: unknown) => {
      io.err(`the ${part} part has ended: ${String(error)}\n`);
      crash.resolve(part);
    },
  };
  const running = await startWhenStoresAnswer(io, Math.random, () => startAllInOne(begin));
  if (running === undefined) return;
  io.err(`Tollgate is ready on ${running.url}\n`);
  if (running.adminLink !== undefined) {
    io.err(`Nobody has an admin token yet. Sign in with this link, once, within the hour:\n`);
    io.err(`  ${running.adminLink}\n`);
  }
  const ended = await runUntilSignal(running, crash.promise, io);
  if (ended === 'crash') throw new CliError(EXIT.internal, 'a part has ended by itself');
}

function serviceCommand(
  io: CliIo,
  name: string,
  options: { readonly does: string; readonly roles?: readonly Role[] },
): Command {
  const command = new Command(name)
    .description(options.does)
    .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG_FILE)
    .option('--port <port>', 'port that it answers on, instead of api.port', integer(0, 65_535))
    .option('--data <folder>', 'data folder, instead of dataFolder')
    .action((given: Options) => start(io, given, options.roles));
  return withExample(command, `tollgate ${name} -c /etc/tollgate.yaml`);
}

/** `tollgate start`: every service in this process. */
export function startCommand(io: CliIo): Command {
  const does = 'Run every service in this process, as tollgate.yaml says';
  return serviceCommand(io, 'start', { does });
}

/** `tollgate collect`, `meter`, `alert` and `serve`: one service a process, any number of each. */
export function roleCommands(io: CliIo): Command[] {
  return [
    serviceCommand(io, 'collect', {
      does: 'Take records in; start more for more (stores must be servers)',
      roles: ['collect'],
    }),
    serviceCommand(io, 'meter', {
      does: 'Price and charge; start more for more (stores must be servers)',
      roles: ['meter'],
    }),
    serviceCommand(io, 'alert', {
      does: 'Evaluate rules, tell whom they concern, enforce; one works, others stand by (stores must be servers)',
      roles: ['alert'],
    }),
    serviceCommand(io, 'serve', {
      does: 'Answer the API and the page; start more for more (stores must be servers)',
      roles: ['serve'],
    }),
  ];
}
