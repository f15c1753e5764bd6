import { Command } from 'commander';
import {
  type RestSilence,
  restSilence,
  restSilences,
} from '../../../shared/contracts/rest-alerts.ts';
import { parseMatchers, printMatcher } from '../../../shared/silences/label-matcher.ts';
import type { RandomBytes } from '../../../shared/tokens/api-token.ts';
import { parseDuration } from '../../../shared/values/duration.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import {
  client,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';

interface PlaceOptions extends SharedOptions {
  readonly project?: string;
}

interface AddOptions extends PlaceOptions {
  readonly match: readonly string[];
  readonly for: string;
  readonly comment: string;
  readonly receiver?: string;
}

type Matcher = RestSilence['matchers'][number];

function matchersOf(text: string): Matcher[] {
  const parsed = parseMatchers(text);
  if ('matchers' in parsed) return [...parsed.matchers];
  const message =
    `“${printable(text)}” is no matcher such as alertname=StreamStalled or name=~"etl-.*": ` +
    `it ${printable(parsed.problem)}`;
  throw new CliError(EXIT.usage, message);
}

function pathOf({ project }: PlaceOptions): string {
  return project === undefined
    ? '/v1/silences'
    : `/v1/projects/${encodeURIComponent(project)}/silences`;
}

function print(io: CliIo, silences: readonly RestSilence[]): void {
  if (silences.length === 0) {
    io.out('no silences\n');
    return;
  }
  const titles = ['STATE', 'PROJECT', 'MATCHERS', 'FROM', 'UNTIL', 'BY', 'COMMENT', 'ID'];
  const rows = silences.map((one) => [
    ...[one.state, one.project ?? 'all', one.matchers.map(printMatcher).join(' ')],
    ...[one.startsAt, one.endsAt, one.author || '—', one.comment, one.id],
  ]);
  io.out(
    `${table(
      titles.map((title) => ({ title })),
      rows,
    )}\n`,
  );
}

function addCommand(io: CliIo, random: RandomBytes, now: () => Instant): Command {
  const command = new Command('add')
    .description('Mute alerts for a time; what they do goes on')
    .requiredOption('--match <matcher...>', 'labels that an alert must have, such as alertname=X')
    .requiredOption('--for <duration>', 'until when, from now: 30m, 2h, 1d')
    .requiredOption('--comment <text>', 'why, kept for whoever asks')
    .option('-p, --project <project>', 'alerts of this project; without it of the whole platform')
    .option('--receiver <name>', 'who is told before it ends')
    .action(async (options: AddOptions) => {
      const { match, for: text, comment, receiver } = options;
      const ms = parseDuration(text);
      if (ms === undefined || ms === 0) {
        throw new CliError(EXIT.usage, `--for ${printable(text)} is no duration such as 30m or 2h`);
      }
      const body = {
        id: random(16).toString('hex'),
        ...{ matchers: match.flatMap(matchersOf), comment, endsAt: formatInstant(now() + ms) },
        ...(receiver === undefined ? {} : { receiver }),
      };
      const silence = await client(io, options).post(pathOf(options), restSilence, body);
      if (options.json) printJson(io, silence);
      else print(io, [silence]);
    });
  return withExample(
    withShared(command),
    'tollgate silence add -p etl --match alertname=StreamStalled --for 2h --comment "broker upgrade"',
  );
}

function listCommand(io: CliIo): Command {
  const command = new Command('list')
    .description('Tell which alerts are muted, by whom, why and until when')
    .option('-p, --project <project>', 'those of one project')
    .action(async (options: PlaceOptions) => {
      const answer = await client(io, options).get(pathOf(options), restSilences);
      if (options.json) printJson(io, answer);
      else print(io, answer.silences);
    });
  return withExample(withShared(command), 'tollgate silence list --project etl');
}

function endCommand(io: CliIo): Command {
  const command = new Command('end')
    .description('End a silence now')
    .argument('<silence>', 'id of the silence')
    .action(async (id: string, options: SharedOptions) => {
      const path = `/v1/silences/${encodeURIComponent(id)}/end`;
      const silence = await client(io, options).post(path, restSilence, {});
      if (options.json) printJson(io, silence);
      else print(io, [silence]);
    });
  return withExample(withShared(command), 'tollgate silence end 4f1c…');
}

/** `tollgate silence add|list|end`. @param now for ends that are told as a duration */
export function silenceCommand(io: CliIo, random: RandomBytes, now: () => Instant): Command {
  return new Command('silence')
    .description('Mute alerts for a time')
    .addCommand(addCommand(io, random, now))
    .addCommand(listCommand(io))
    .addCommand(endCommand(io));
}
