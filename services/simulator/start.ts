import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { SimulatorConfig } from './config.ts';
import { FileOutput, type OutputFolders } from './outputs/file-output.ts';
import { GraphiteOutput } from './outputs/graphite-output.ts';
import { ProgressOutput } from './outputs/progress-output.ts';
import { startStandaloneRest, startYarnRest } from './outputs/rest-server.ts';
import { Platform } from './platform/platform.ts';
import { Random } from './platform/random.ts';

/** Events of a step stay in memory until they are written: a step is never longer than this. */
const STEP_MS = 10_000;
const PAUSE_MS = 500;

export interface SimulatedPlatform extends AsyncDisposable {
  readonly resourceManagerUrl: string;
  readonly standaloneMasterUrl: string;
  /** Starts playing into the inputs of a running Tollgate. */
  play(inputs: { readonly graphitePort: number; readonly url: string }): void;
}

export interface SimulatorDeps {
  readonly config: SimulatorConfig;
  /** Below it: `<cluster>/event-logs` and `<cluster>/logs`. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Folders of the simulated clusters, for the inputs that read them. */
export function simulatedFolders(folder: string): OutputFolders {
  return {
    eventLogs: (cluster) => join(folder, cluster, 'event-logs'),
    logs: (cluster) => join(folder, cluster, 'logs'),
  };
}

/**
 * A small Spark platform that writes real formats through the real inputs: log files and event
 * logs on disk, Graphite over TCP, progress over HTTP, the managers' REST answers. It begins at
 * the clock's present; a clock that runs faster than time makes it play faster.
 */
export async function startSimulator(deps: SimulatorDeps): Promise<SimulatedPlatform> {
  const { config, clock, logger, folder } = deps;
  const platform = new Platform(config.seed, Math.floor(clock.now() / 1_000) * 1_000);
  for (const cluster of platform.clusters.keys()) {
    await mkdir(simulatedFolders(folder).eventLogs(cluster), { recursive: true });
  }
  const resourceManager = await startYarnRest(platform);
  const master = await startStandaloneRest(platform);
  const stop = new AbortController();
  let playing: Promise<void> | undefined;

  async function play(graphitePort: number, url: string): Promise<void> {
    const files = new FileOutput(simulatedFolders(folder));
    const graphite = new GraphiteOutput(graphitePort);
    const progress = new ProgressOutput(url, new Random(config.seed + 1));
    while (!stop.signal.aborted) {
      const events = platform.advance(Math.min(clock.now(), platform.now + STEP_MS));
      try {
        await files.write(events, platform.now);
        await graphite.write(events, stop.signal);
        await progress.write(events, stop.signal);
      } catch (error) {
        if (stop.signal.aborted) break;
        logger.warn({ error: String(error) }, 'an input did not take simulated records');
      }
      if (clock.now() - platform.now < STEP_MS) await clock.sleep(PAUSE_MS, stop.signal);
    }
  }

  return {
    resourceManagerUrl: resourceManager.url,
    standaloneMasterUrl: master.url,
    play({ graphitePort, url }) {
      playing ??= play(graphitePort, url);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await playing;
      await master[Symbol.asyncDispose]();
      await resourceManager[Symbol.asyncDispose]();
    },
  };
}
