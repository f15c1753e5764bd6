import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catchUpClock } from '../../shared/runtime/catch-up-clock.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { MINUTE_MS } from '../../shared/values/instant.ts';
import { startAllInOne } from '../all-in-one/start.ts';
import { simulatorConfig } from '../simulator/config.ts';
import { startSimulator } from '../simulator/start.ts';
import { CliError, type CliIo, EXIT } from './cli-io.ts';
import { demoConfig } from './demo-config.ts';
import { packageVersion } from './package-version.ts';
import { runUntilSignal } from './run-until-signal.ts';

export interface DemoRun {
  readonly port: number;
  readonly data?: string;
  readonly seed: number;
  readonly history: number;
  readonly speed: number;
}

/** Plays the simulator into a Tollgate of its own until the process is signalled. */
export async function runDemo(io: CliIo, options: DemoRun): Promise<void> {
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
