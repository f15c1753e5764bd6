import { Command, Option } from 'commander';
import { parse } from 'yaml';
import type { z } from 'zod';
import { type RestReplayResult, restReplayLine } from '../../../shared/contracts/rest-replay.ts';
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
import { type BarStream, progressBar } from '../progress-bar.ts';
import { readConfigFile } from './config-command.ts';
import { replayCsv, replayText } from './replay-text.ts';

interface ReplayOptions extends SharedOptions {
  readonly tariff: string;
  readonly from?: string;
  readonly to?: string;
  readonly project?: string;
  readonly csv?: true;
}

const EXAMPLE_FILE = `
The file says what is to be otherwise; each part may be left out:
  rateCard: { coreSecond: "0.0008", gibSecond: "0.00015" }
  rateCards: [{ id: spot-2, market: spot, coreSecond: "0.0004" }]   # of pools and markets
  markets: [{ cluster: emr-1, market: spot, onDemandNodes: 2, nodes: 10 }]
  price: { slope: 3, cap: 4 }           # prices are computed again from the load
  pools: [{ id: default, clusters: ["*"] }]
  budgets:                              # instead of a project's grants
    - { project: etl, credits: "500", renew: month }`;

const PHASES = {
  prices: 'Computing prices ',
  charges: 'Charging containers',
  budgets: 'Following budgets ',
} as const;

/** The UTC month before this one. */
function lastMonth(now: Instant): { from: Instant; until: Instant } {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { from: Date.UTC(year, month - 1), until: Date.UTC(year, month) };
}

/** A day alone is its beginning in UTC. */
function timeText(text: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
}

/** Checks the file before anything is asked: problems with their lines. */
async function readTariff(io: CliIo, file: string): Promise<unknown> {
  // Loaded when it is needed, for a quick --help.
  const { replayTariff } = await import('../../metering/replay/config.ts');
  let text: string;
  try {
    text = io.readFile(file);
  } catch (cause) {
    const message = `--tariff ${file} cannot be read; "tollgate replay --help" shows what is in one`;
    throw new CliError(EXIT.usage, message, { cause });
  }
  readConfigFile(io, replayTariff as z.ZodType, file);
  return parse(text);
}

async function replay(io: CliIo, options: ReplayOptions, stream: BarStream): Promise<void> {
  const tariff = await readTariff(io, options.tariff);
  const month = lastMonth(io.clock.now());
  const body = {
    from: options.from === undefined ? formatInstant(month.from) : timeText(options.from),
    until: options.to === undefined ? formatInstant(month.until) : timeText(options.to),
    ...(options.project === undefined ? {} : { project: options.project }),
    tariff,
  };
  const bar = await progressBar(stream);
  let result: RestReplayResult | undefined;
  try {
    for await (const line of client(io, options).lines('/v1/replays', restReplayLine, body)) {
      if (line.type === 'progress') bar.update(PHASES[line.phase], line.done, line.total);
      else if (line.type === 'result') result = line;
      else
        throw new CliError(EXIT.refused, `${line.title} (${line.code}): ${printable(line.detail)}`);
    }
  } finally {
    bar.stop();
  }
  if (result === undefined) {
    throw new CliError(
      EXIT.refused,
      'the answer ended before the result; the log of Tollgate has why',
    );
  }
  if (options.json) printJson(io, result);
  else io.out(options.csv ? replayCsv(result) : replayText(result));
}

/** `tollgate replay`: a past window under another rate card, price rule or budget, on paper. */
export function replayCommand(io: CliIo, stream: BarStream): Command {
  const command = new Command('replay')
    .description('Charge a past window again under another tariff, on paper: who wins, who loses')
    .requiredOption('--tariff <file>', 'YAML or JSON: what is to be otherwise (see below)')
    .option('--from <time>', 'begin: 2026-10-01, ISO 8601 with a zone, or -30d; else last month')
    .option('--to <time>', 'end, not included; else the end of last month')
    .option('-p, --project <id>', 'only this project')
    .addOption(new Option('--csv', 'a line for each project, exact').conflicts('json'))
    .action((options: ReplayOptions) => replay(io, options, stream));
  const whole = withShared(command).addHelpText('after', EXAMPLE_FILE);
  return withExample(
    whole,
    'tollgate replay --tariff proposed.yaml --from 2026-10-01 --to 2026-11-01',
  );
}
