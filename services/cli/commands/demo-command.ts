import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { catchUpClock } from '../../../shared/runtime/catch-up-clock.ts';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { MINUTE_MS } from '../../../shared/values/instant.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import { integer, withExample } from '../command-options.ts';
import { packageVersion } from '../package-version.ts';
import { runUntilSignal } from '../run-until-signal.ts';

interface Options {
  readonly port: number;
  readonly data?: string;
  readonly seed: number;
  readonly history: number;
  readonly speed: number;
}

async function demo(io: CliIo, options: Options): Promise<void> {
  // Imported when they are needed, so that other commands start fast.
  const { createLogger } = await import('../../../shared/telemetry/logger.ts');
  const { startAllInOne } = await import('../../all-in-one/start.ts');
  const { simulatorConfig } = await import('../../simulator/config.ts');
  const { startSimulator } = await import('../../simulator/start.ts');
  const { demoConfig } = await import('../demo-config.ts');
  const say = (line: string): void => io.err(`${line}\n`);
  await using resources = new AsyncDisposableStack();
  const folder = options.data ?? (await mkdtemp(join(tmpdir(), 'tollgate-demo-')));
  if (options.data === undefined) {
    resources.defer(() => rm(folder, { recursive: true, force: true }));
  }
  const anchor = systemClock.now();
  const catchUp = {
    from: anchor - options.history * MINUTE_MS,
    anchor,
    speed: options.speed,
  };
  const clock = catchUpClock(systemClock, catchUp);
  const logger = createLogger('simulator', 'warn');
  const config = simulatorConfig.parse({ seed: options.seed });
  const platform = resources.use(
    await startSimulator({ config, folder: join(folder, 'platform'), clock, logger }),
  );
  const crash = Promise.withResolvers<string>();
  const running = await startAllInOne({
    config: demoConfig({ port: options.port, dataFolder: folder }, platform),
    mode: 'demo',
    version: packageVersion(import.meta.url),
    catchUp,
    onCrash: (part, error) => {
      say(`the ${part} part has ended: ${String(error)}`);
      crash.resolve(part);
    },
  });
  const [graphitePort = 0] = running.graphitePorts;
  platform.play({ graphitePort, url: running.url });
  say(`Tollgate's demo is on ${running.url}`);
  say(
    `It plays ${options.history} minutes of a simulated platform at ${options.speed} X, then goes on live.`,
  );
  say('Ctrl+C stops it.');
  const ended = await runUntilSignal(running, crash.promise, io);
  if (ended === 'crash') throw new CliError(EXIT.internal, 'a part has ended by itself');
}

/** `tollgate demo`: a simulated platform, its records going through the real inputs. */
export function demoCommand(io: CliIo): Command {
  const command = new Command('demo')
    .description('A page with live data: a simulated platform through the real inputs')
    .option('--port <port>', 'port of the API and the page', integer(0, 65_535), 8_470)
    .option('--data <folder>', 'folder to keep the data in; without it they go with the demo')
    .option('--seed <n>', 'the same seed plays the same platform', integer(0, 2 ** 31), 7)
    .option('--history <minutes>', 'minutes of the past to play first', integer(0, 1_440), 120)
    .option('--speed <times>', 'how fast the past is played', integer(1, 10_000), 120)
    .action((options: Options) => demo(io, options));
  return withExample(command, 'tollgate demo --port 9000 --seed 3');
}
