import { Command, Option } from 'commander';
import { FAIL_MODES, type FailMode } from '../../../shared/contracts/rest-quote.ts';
import type { RandomBytes } from '../../../shared/tokens/api-token.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import {
  integer,
  readToken,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { attributeCommand, projectNamedBy } from '../run/attribute-command.ts';
import { ControlPlane } from '../run/control-plane.ts';
import { cacheFolder, FailModeCache } from '../run/fail-mode-cache.ts';
import { type CommandPlan, planOfCommand } from '../run/plan-of-command.ts';
import { ReservationLease } from '../run/reservation-lease.ts';
import { exitCodeOf, type OnSignal, runChild } from '../run/run-child.ts';
import { type RunEvents, runEvents } from '../run/run-events.ts';
import {
  creditsOption,
  multiplierOption,
  plannedResources,
  type ResourceOptions,
  timeOption,
  withResources,
} from '../run/run-options.ts';
import { signalRelay } from '../run/signal-relay.ts';
import { type Clearance, type RunPlan, StartGate } from '../run/start-gate.ts';

/** The process around a command that it starts. */
export interface RunWorld {
  readonly random: RandomBytes;
  readonly onSignal: OnSignal;
  /** Whether a terminal sends Ctrl+C to whatever runs in its foreground. */
  readonly isTerminal: boolean;
  /** The command's exit code becomes the process's. */
  readonly setExitCode: (code: number) => void;
}

interface RunOptions extends SharedOptions, ResourceOptions {
  readonly project: string;
  readonly name?: string;
  readonly history?: string;
  readonly pool?: string;
  readonly maxPrice?: string;
  readonly maxCost?: string;
  readonly wait?: true;
  readonly deadline?: string;
  readonly lock?: number;
  readonly fail?: FailMode;
  readonly lease: number;
  readonly quiet?: true;
}

/** As `env` and `timeout` say that they themselves, not the command, failed. */
const NOT_STARTED = EXIT.notStarted;
/** A price limit means little for a job that outlasts it. */
const LOCK_MINUTES = 60;
/** Giving a reservation back takes no longer than this. */
const RELEASE_MAX_MS = 10_000;
const ECHO_MAX_MS = 500;

function runPlan(options: RunOptions, told: CommandPlan): RunPlan {
  const { project, history, pool, minutes, maxPrice, maxCost, deadline, fail } = options;
  return {
    ...{ project, history, pool, minutes, maxPrice, maxCost, deadline, fail },
    application: options.name ?? told.application,
    resources: plannedResources(options, told.resources),
    wait: options.wait ?? false,
    lockMinutes: options.lock ?? (maxPrice === undefined ? 0 : LOCK_MINUTES),
    leaseSeconds: options.lease,
  };
}

/** All problems of a command line that only show together. */
function checkTogether(
  options: RunOptions,
  command: readonly string[],
  token: string | undefined,
): void {
  const problems: string[] = [];
  if (parseProjectId(options.project) !== options.project) {
    problems.push(`--project ${options.project} is no project id`);
  }
  const named = projectNamedBy(command);
  if (named !== undefined && named !== options.project) {
    problems.push(`the command itself names project ${named}, and --project ${options.project}`);
  }
  if (options.wait && options.maxPrice === undefined && options.deadline === undefined) {
    problems.push('--wait needs --max-price, or a --deadline until which it waits for room');
  }
  if (!URL.canParse(options.url) || !/^https?:$/.test(new URL(options.url).protocol)) {
    problems.push(`--url ${options.url} is no http address`);
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    problems.push('the token is none: it has blanks or other odd characters');
  }
  if (problems.length > 0) throw new CliError(EXIT.usage, problems.join('\n  '));
}

interface Started {
  readonly io: CliIo;
  readonly world: RunWorld;
  readonly plane: ControlPlane;
  readonly events: RunEvents;
  readonly plan: RunPlan;
}

/** Ends within a few seconds, and at once when somebody presses Ctrl+C meanwhile. */
async function release(
  clock: CliIo['clock'],
  onSignal: OnSignal,
  end: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const enough = new AbortController();
  const began = clock.elapsed();
  using _ = onSignal((signal) => {
    // The one that ended the command may come once more.
    if (signal === 'SIGINT' && clock.elapsed() - began > ECHO_MAX_MS) enough.abort();
  });
  const late = clock.sleep(RELEASE_MAX_MS, enough.signal).then(() => enough.abort());
  await end(enough.signal);
  enough.abort();
  await late;
}

/** Starts the command, keeps its reservation while it runs, and gives it back. */
async function runCleared(
  { io, world, plane, events, plan }: Started,
  command: readonly string[],
  { reservation, quote }: Extract<Clearance, { go: true }>,
): Promise<number> {
  const { project, leaseSeconds } = plan;
  using relay = signalRelay(world.onSignal);
  const { onSignal } = relay;
  const lease =
    reservation &&
    new ReservationLease(
      { plane, clock: io.clock, events },
      { project, id: reservation, leaseSeconds },
    );
  if (io.signal.aborted) {
    if (lease) await release(io.clock, onSignal, (signal) => lease.end('void', signal));
    return interruptedBy(io.signal);
  }
  const attributed = attributeCommand(command, { project, reservation, quote }, io.env);
  const ended = new AbortController();
  const kept = lease ? lease.keep(ended.signal) : Promise.resolve();
  const { exitCode, problem } = await runChild(attributed, { ...world, onSignal });
  ended.abort();
  await kept;
  if (problem !== undefined) events.warn('not-started', problem);
  const how = problem === undefined ? 'post' : 'void';
  if (lease) await release(io.clock, onSignal, (signal) => lease.end(how, signal));
  return exitCode;
}

/** As a shell tells that a signal ended it. */
function interruptedBy({ reason }: AbortSignal): number {
  const name = reason instanceof Error ? reason.message : '';
  return exitCodeOf(name === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
}

async function run(
  io: CliIo,
  world: RunWorld,
  { command, options }: { readonly command: readonly string[]; readonly options: RunOptions },
): Promise<void> {
  const token = readToken(io, options.tokenFile);
  checkTogether(options, command, token);
  const { url, project, json, quiet } = options;
  const plane = new ControlPlane({ url, token, clock: io.clock });
  const events = runEvents(io, { json: json ?? false, quiet: quiet ?? false });
  const plan = runPlan(options, planOfCommand(command));
  const cache = new FailModeCache(cacheFolder(io.env), { url, project });
  const gate = new StartGate({ plane, clock: io.clock, events, cache, random: world.random }, plan);
  const cleared = await gate.clear(io.signal);
  if (cleared.go) {
    world.setExitCode(await runCleared({ io, world, plane, events, plan }, command, cleared));
    return;
  }
  if (io.signal.aborted) {
    world.setExitCode(interruptedBy(io.signal));
    return;
  }
  events.warn('not-started', `not started: ${cleared.message}`);
  world.setExitCode(NOT_STARTED);
}

const LEASE_SECONDS = { min: 10, max: 86_400, byDefault: 300 };

/** `tollgate run -p P -- COMMAND`: price, check and reservation before a command, and around it. */
export function runCommand(io: CliIo, world: RunWorld): Command {
  const command = new Command('run')
    .description('Show the price, reserve, run a command, and release what it did not use')
    .argument('<command...>', 'what to run, after "--": spark-submit and its options, say')
    .usage('[options] -- <command...>')
    .passThroughOptions()
    .requiredOption('-p, --project <id>', 'project that pays')
    .option('--name <text>', 'name of the application; else as the command says')
    .option('--history <name>', 'name of its earlier runs, where another; * at its end is any text')
    .option('--pool <id>', 'pool whose price it pays; else the first')
    .option('--max-price <x>', 'do not start above this multiplier', multiplierOption)
    .option(
      '--max-cost <credits>',
      'do not start when more is expected, and hold no more',
      creditsOption,
    )
    .option('--wait', 'wait for the price, or for room in the project’s limits')
    .option(
      '--deadline <time>',
      'wait no longer: ISO 8601, or +2h',
      timeOption(() => io.clock.now()),
    )
    .option(
      '--lock <minutes>',
      'lock the price; 60 with --max-price, 0 for not',
      integer(0, 525_600),
    );
  withResources(command)
    .addOption(
      new Option('--fail <mode>', 'while no Tollgate answers; else as the project states').choices(
        FAIL_MODES,
      ),
    )
    .option(
      '--lease <seconds>',
      'how long the reservation outlives this process',
      integer(LEASE_SECONDS.min, LEASE_SECONDS.max),
      LEASE_SECONDS.byDefault,
    )
    .option('-q, --quiet', 'say only what went wrong')
    .action((words: string[], options: RunOptions) => run(io, world, { command: words, options }));
  return withExample(
    withShared(command),
    'tollgate run -p etl --max-price 1.2 --wait --deadline +6h -- \\',
    '    spark-submit --name nightly --num-executors 10 nightly.py',
  );
}
