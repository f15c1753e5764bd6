import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { readConfig } from '../../../shared/config/read-config.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import { tollgateConfig } from '../../all-in-one/config.ts';
import { startAllInOne } from '../../all-in-one/start.ts';
import { environment } from '../config.ts';
import { printProblems } from '../print-problems.ts';
import { runUntilSignal } from '../run-until-signal.ts';

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError(
      'CONFIG_INVALID',
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); ` +
        'write one with: tollgate config reference > tollgate.yaml',
      { cause: error },
    );
  }
}

interface Options {
  readonly config: string;
  readonly port?: number;
  readonly data?: string;
}

async function start({ config: file, port, data }: Options): Promise<number> {
  const text = readFile(file);
  const { config, problems } = readConfig(tollgateConfig, {
    text,
    env: environment(),
    readFile: (path) => readFileSync(path, 'utf8'),
  });
  if (config === undefined) {
    process.stderr.write(printProblems(file, problems));
    return 2;
  }
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const crash = Promise.withResolvers<string>();
  const running = await startAllInOne({
    config: {
      ...config,
      ...(data === undefined ? {} : { dataFolder: data }),
      api: port === undefined ? config.api : { ...config.api, port },
    },
    mode: 'start',
    onCrash: (part, error) => {
      say(`the ${part} part has ended: ${String(error)}`);
      crash.resolve(part);
    },
  });
  say(`Tollgate is ready on ${running.url}`);
  return await runUntilSignal(running, crash.promise, say);
}

export function startCommand(): Command {
  return new Command('start')
    .description('run every service in this process, as tollgate.yaml says')
    .option('-c, --config <file>', 'configuration file', 'tollgate.yaml')
    .option('--port <port>', 'port of the API and the page, instead of api.port', Number)
    .option('--data <folder>', 'data folder, instead of dataFolder')
    .addHelpText('after', '\nExample:\n  $ tollgate start -c /etc/tollgate.yaml\n')
    .action(async (options: Options) => {
      process.exitCode = await start(options);
    });
}
