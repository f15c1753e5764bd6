import { Command, Option } from 'commander';
import type { z } from 'zod';
import { ENFORCEMENT_LEVELS, type EnforcementAction } from '../../../shared/contracts/action.ts';
import {
  type RestAction,
  restAction,
  restActionHistory,
  restActions,
  restEnforcement,
  restExemption,
  restLevelSwitch,
  restReleased,
} from '../../../shared/contracts/rest-enforcement.ts';
import type { RandomBytes } from '../../../shared/tokens/api-token.ts';
import { parseDuration } from '../../../shared/values/duration.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import type { FrozenInput, Replay } from '../../alerter/enforce/explain-action.ts';
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
import { table } from '../table.ts';

interface World {
  readonly io: CliIo;
  readonly random: RandomBytes;
  readonly now: () => Instant;
}

interface WhyOptions extends SharedOptions {
  readonly reason: string;
}

const columns = (...titles: readonly string[]) => titles.map((title) => ({ title }));
const identity = ({ random }: World): string => random(16).toString('hex');

function withReason(command: Command): Command {
  return withShared(command).requiredOption('--reason <text>', 'why, kept for ever');
}

function statusCommand({ io }: World): Command {
  const command = new Command('status')
    .description('Tell what enforcement may do now, and what stops it')
    .action(async (options: SharedOptions) => {
      const told = await client(io, options).get('/v1/enforcement', restEnforcement);
      if (options.json) return printJson(io, told);
      const off =
        told.switch?.on === false ? `OFF since ${told.switch.at}: ${told.switch.why}` : 'on';
      io.out(`switch: ${printable(off)}\n`);
      if (told.brake !== null) {
        io.out(`BRAKE since ${told.brake.at}: ${printable(told.brake.detail)}\n`);
      }
      const levels = told.policies.flatMap(({ policy, levels }) =>
        levels.map(({ level, on }) => [policy, level, on ? 'acts' : 'observes']),
      );
      io.out(`\n${table(columns('POLICY', 'LEVEL', 'STATE'), levels)}\n`);
      const exempt = told.exemptions.map((one) => [
        ...[one.project ?? 'any', one.cluster || 'any', one.application || one.workload || 'any'],
        ...[one.owner, one.expiresAt, one.why, one.id],
      ]);
      const titles = ['PROJECT', 'CLUSTER', 'WORKLOAD', 'OWNER', 'UNTIL', 'WHY', 'EXEMPTION'];
      if (exempt.length > 0) io.out(`\n${table(columns(...titles), exempt)}\n`);
    });
  return withExample(withShared(command), 'tollgate enforce status');
}

function switchCommand(world: World, on: boolean): Command {
  const { io } = world;
  const name = on ? 'on' : 'off';
  const command = new Command(name)
    .description(
      on ? 'Let what is switched on act again' : 'Stop all enforcement, from the next tick',
    )
    .action(async (options: WhyOptions) => {
      const body = { id: identity(world), on, why: options.reason };
      const done = await client(io, options).post('/v1/enforcement/switch', restReleased, body);
      if (options.json) printJson(io, done);
      else io.out(on ? 'enforcement is on\n' : 'enforcement is off, from its next tick\n');
    });
  return withExample(withReason(command), `tollgate enforce ${name} --reason "incident 4711"`);
}

function levelCommand(world: World): Command {
  const { io } = world;
  const command = new Command('level')
    .description('Let a level of a policy act, or only observe again')
    .argument('<policy>', 'id of the policy')
    .argument('<level>', ENFORCEMENT_LEVELS.join(', '))
    .argument('<state>', 'acts or observes')
    .action(async (policy: string, level: string, state: string, options: WhyOptions) => {
      if (state !== 'acts' && state !== 'observes') {
        throw new CliError(EXIT.usage, `${printable(state)} is neither acts nor observes`);
      }
      const body = {
        id: identity(world),
        policy,
        level,
        on: state === 'acts',
        why: options.reason,
      };
      const done = await client(io, options).post('/v1/enforcement/levels', restLevelSwitch, body);
      if (options.json) printJson(io, done);
      else io.out(`${printable(policy)}: ${done.level} ${state}\n`);
    });
  return withExample(
    withReason(command),
    'tollgate enforce level quota deny-new-work acts --reason "agreed on Monday"',
  );
}

interface ListOptions extends SharedOptions {
  readonly project?: string;
  readonly limit: number;
}

function row(one: RestAction): string[] {
  return [
    ...[one.state, one.level, one.policy, one.project ?? '—', one.target.cluster, one.target.id],
    ...[one.dueAt ?? '—', one.reason, one.id],
  ];
}

const ACTION = columns(
  ...['STATE', 'LEVEL', 'POLICY', 'PROJECT', 'CLUSTER', 'TARGET', 'NOT BEFORE', 'REASON', 'ID'],
);

function actionsCommand({ io }: World): Command {
  const command = new Command('actions')
    .description('Tell what enforcement decided and did, newest first')
    .option('-p, --project <project>', 'on one project')
    .option('--limit <actions>', 'most that are told', integer(1, 1_000), 200)
    .action(async (options: ListOptions) => {
      const { project, limit } = options;
      const path =
        project === undefined
          ? '/v1/enforcement/actions'
          : `/v1/projects/${encodeURIComponent(project)}/actions`;
      const answer = await client(io, options).get(`${path}?limit=${limit}`, restActions);
      if (options.json) printJson(io, answer);
      else if (answer.actions.length === 0) io.out('nothing was decided yet\n');
      else io.out(`${table(ACTION, answer.actions.map(row))}\n`);
    });
  return withExample(withShared(command), 'tollgate enforce actions --project etl');
}

type History = z.infer<typeof restActionHistory>;

/** Plans once more from what the action was decided from. */
async function replay({ history, frozen }: History): Promise<Replay | undefined> {
  const proposed = history.find(({ kind }) => kind === 'proposed');
  if (frozen === '' || proposed === undefined) return undefined;
  // The planner is loaded when it is needed, so that other commands start fast.
  const { replayProposal } = await import('../../alerter/enforce/explain-action.ts');
  const { action } = JSON.parse(proposed.body) as { readonly action: EnforcementAction };
  const project = action.project ?? undefined;
  return replayProposal({ ...action, project }, JSON.parse(frozen) as FrozenInput);
}

function replayText(replayed: Replay | undefined): string {
  if (replayed === undefined) return 'what it was decided from is not in the chain';
  if (replayed.same) return 'decided again from its frozen evidence, it comes out the same';
  const versions =
    replayed.planner === replayed.plannerNow
      ? ''
      : ` (it was decided by ${replayed.planner}, this is ${replayed.plannerNow})`;
  const left = replayed.left.map(({ reason, detail }) => `${reason}: ${detail}`).join('; ');
  return `DECIDED AGAIN, IT COMES OUT OTHERWISE${versions}: ${printable(left)}`;
}

function explainCommand({ io }: World): Command {
  const command = new Command('explain')
    .description('Tell one action: what became of it, and whether its evidence leads to it again')
    .argument('<action>', 'id of the action')
    .action(async (id: string, options: SharedOptions) => {
      const path = `/v1/enforcement/actions/${encodeURIComponent(id)}`;
      const told = await client(io, options).get(path, restActionHistory);
      const replayed = await replay(told);
      const { whole, why, entries, hash } = told.chain;
      if (options.json) printJson(io, { ...told, replay: replayed ?? null });
      else {
        io.out(`${table(ACTION, [row(told.action)])}\n\n`);
        if (told.action.detail !== '') io.out(`${printable(told.action.detail)}\n\n`);
        const history = told.history.map(({ seq, at, kind, hash }) => [
          ...[`${seq}`, at, kind, hash.slice(0, 16)],
        ]);
        io.out(`${table(columns('ENTRY', 'AT', 'WHAT', 'HASH'), history)}\n\n`);
        io.out(`${replayText(replayed)}\n`);
        const chain = `the chain is whole: ${entries} entries, ${hash}`;
        io.out(whole ? `${chain}\n` : `THE CHAIN IS BROKEN: ${why}\n`);
      }
      if (!whole) throw new CliError(EXIT.found, 'what happened was changed afterwards');
      if (replayed?.same === false) throw new CliError(EXIT.found, 'the decision does not follow');
    });
  return withExample(withShared(command), 'tollgate enforce explain act-4f1c…');
}

interface ExemptOptions extends WhyOptions {
  readonly owner: string;
  readonly for: string;
  readonly project?: string;
  readonly cluster?: string;
  readonly application?: string;
  readonly workload?: string;
}

function exemptCommand(world: World): Command {
  const { io, now } = world;
  const command = new Command('exempt')
    .description('Spare a project, cluster, application or workload for a time')
    .requiredOption('--owner <name>', 'who answers for it')
    .requiredOption('--for <duration>', 'until when, from now: 2h, 7d')
    .option('-p, --project <project>', 'project that is spared')
    .option('--cluster <cluster>', 'cluster that is spared')
    .option('--application <id>', 'application that is spared')
    .option('--workload <name>', 'workload that is spared, whatever its application')
    .action(async (options: ExemptOptions) => {
      const {
        owner,
        reason,
        json: _json,
        url: _url,
        tokenFile: _file,
        for: text,
        ...rest
      } = options;
      const ms = parseDuration(text);
      if (ms === undefined || ms === 0) {
        throw new CliError(EXIT.usage, `--for ${printable(text)} is no duration such as 2h or 7d`);
      }
      const body = {
        ...{ id: identity(world), owner, why: reason, expiresAt: formatInstant(now() + ms) },
        ...rest,
      };
      const made = await client(io, options).post(
        '/v1/enforcement/exemptions',
        restExemption,
        body,
      );
      if (options.json) printJson(io, made);
      else io.out(`exempt until ${made.expiresAt}: ${made.id}\n`);
    });
  return withExample(
    withReason(command),
    'tollgate enforce exempt -p etl --workload nightly --owner ana --for 7d --reason "year end"',
  );
}

function releaseCommand(world: World): Command {
  const { io } = world;
  const command = new Command('release')
    .description('Release the brake that enforcement pulled itself, after you have looked')
    .action(async (options: WhyOptions) => {
      const body = { id: identity(world), why: options.reason };
      const path = '/v1/enforcement/brake-releases';
      const done = await client(io, options).post(path, restReleased, body);
      if (options.json) printJson(io, done);
      else io.out(done.released ? 'the brake is released\n' : 'the brake was not on\n');
    });
  return withExample(withReason(command), 'tollgate enforce release --reason "the list was stale"');
}

interface ResolveOptions extends WhyOptions {
  readonly outcome: 'verified' | 'failed';
}

function resolveCommand(world: World): Command {
  const { io } = world;
  const command = new Command('resolve')
    .description('Say how an action ended whose answer was lost, after you have looked')
    .argument('<action>', 'id of the action')
    .addOption(
      new Option('--outcome <outcome>', 'whether it did what it should')
        .choices(['verified', 'failed'])
        .makeOptionMandatory(),
    )
    .action(async (id: string, options: ResolveOptions) => {
      const body = { id: identity(world), outcome: options.outcome, why: options.reason };
      const path = `/v1/enforcement/actions/${encodeURIComponent(id)}/resolution`;
      const done = await client(io, options).post(path, restAction, body);
      if (options.json) printJson(io, done);
      else io.out(`${table(ACTION, [row(done)])}\n`);
    });
  return withExample(
    withReason(command),
    'tollgate enforce resolve act-4f1c… --outcome verified --reason "it is gone"',
  );
}

/** `tollgate enforce …`: what enforcement may do, does, and what stops it. */
export function enforceCommand(io: CliIo, random: RandomBytes, now: () => Instant): Command {
  const world: World = { io, random, now };
  return [
    statusCommand(world),
    switchCommand(world, true),
    switchCommand(world, false),
    levelCommand(world),
    actionsCommand(world),
    explainCommand(world),
    exemptCommand(world),
    releaseCommand(world),
    resolveCommand(world),
  ].reduce(
    (parent, command) => parent.addCommand(command),
    new Command('enforce').description('What enforcement may do, does, and what stops it'),
  );
}
