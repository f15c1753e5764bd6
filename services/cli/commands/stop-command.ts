import { Command } from 'commander';
import type { z } from 'zod';
import { restStop, restStops } from '../../../shared/contracts/rest.ts';
import type { RandomBytes } from '../../../shared/tokens/api-token.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import {
  client,
  integer,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import type { RestClient } from '../rest-client.ts';

interface StopOptions extends SharedOptions {
  readonly project: string;
  readonly cluster: string;
  readonly within: number;
  readonly force?: true;
  readonly wait?: number;
}

type Stop = z.infer<typeof restStop>;

const POLL_MS = 500;

function isFinal({ state }: Stop): boolean {
  return state === 'stopped' || state === 'refused';
}

function sentence({ application, state, clean, message }: Stop): string {
  if (state === 'ordered')
    return `${application}: ordered; its agent hears it with its next heartbeat`;
  const how = clean === null ? '' : clean ? ', clean' : ', not clean';
  return `${application}: ${state}${how} (${message})`;
}

/** The order as it is once the agent has said its last word, or the time is over. */
async function awaitEnd(
  io: CliIo,
  rest: RestClient,
  { path, stop, waitMs }: { readonly path: string; readonly stop: Stop; readonly waitMs: number },
): Promise<Stop> {
  const until = io.clock.elapsed() + waitMs;
  let last = stop;
  while (!isFinal(last) && io.clock.elapsed() < until) {
    await io.clock.sleep(POLL_MS, io.signal);
    const { stops } = await rest.get(path, restStops);
    last = stops.find(({ id }) => id === stop.id) ?? last;
  }
  return last;
}

/** `tollgate stop`: ends a streaming application between two batches, through its agent. */
export function stopCommand(io: CliIo, random: RandomBytes): Command {
  const command = new Command('stop')
    .description('End a streaming application between two batches (it needs the Spark agent)')
    .argument('<application>', 'id of the application')
    .requiredOption('-p, --project <id>', 'project that the application belongs to')
    .option('--cluster <id>', 'cluster that it runs on', 'default')
    .option('--within <seconds>', 'after which queries are stopped anyway', integer(0, 3_600), 60)
    .option('--force', 'even where a checkpoint is not on durable storage, or no query runs')
    .option('--wait <seconds>', 'wait for the outcome', integer(1, 7_200))
    .action(async (application: string, options: StopOptions) => {
      const { project, cluster, within, force = false, wait } = options;
      const parts = [project, 'applications', cluster, application, 'stops'];
      const path = `/v1/projects/${parts.map(encodeURIComponent).join('/')}`;
      const rest = client(io, options);
      const body = { id: random(16).toString('hex'), withinMs: within * 1_000, force };
      const ordered = await rest.post(path, restStop, body);
      const stop =
        wait === undefined
          ? ordered
          : await awaitEnd(io, rest, { path, stop: ordered, waitMs: wait * 1_000 });
      if (options.json) printJson(io, stop);
      else io.out(`${sentence(stop)}\n`);
      if (stop.state === 'refused') {
        throw new CliError(EXIT.found, 'the application goes on: its agent refused to stop it');
      }
      if (wait !== undefined && !isFinal(stop)) {
        throw new CliError(EXIT.found, `no outcome within ${wait} s; the order stands for an hour`);
      }
    });
  return withExample(
    withShared(command),
    'tollgate stop app-20261121072159-0000 -p etl --wait 120',
  );
}
