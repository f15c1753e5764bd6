import { Command } from 'commander';
import { restQuote } from '../../../shared/contracts/rest-quote.ts';
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
import { costText, minuteText, priceText, type Quote, startText } from '../run/quote-text.ts';
import {
  creditsOption,
  multiplierOption,
  plannedResources,
  quotedResources,
  type ResourceOptions,
  timeOption,
  withResources,
} from '../run/run-options.ts';

interface QuoteOptions extends SharedOptions, ResourceOptions {
  readonly project: string;
  readonly history?: string;
  readonly pool?: string;
  readonly lock?: number;
  readonly maxPrice?: string;
  readonly maxCost?: string;
  readonly deadline?: string;
}

function hours(ms: number): string {
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} minutes` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function lines(quote: Quote): string[] {
  const { locked, durationMs, price, limits } = quote;
  const rows = [
    ['price', priceText(quote)],
    ['cost', `${costText(quote)} at ${price.forecast} X`],
    ...(durationMs === null ? [] : [['runs for', hours(durationMs.expected)]]),
    ...(locked === null
      ? []
      : [['locked', `at most ${locked.multiplier} X until ${minuteText(locked.until)}`]]),
    ...(quote.id === null
      ? []
      : [['quote', `--conf spark.tollgate.tag.tollgate.quote=${quote.id}`]]),
    ...(quote.start === null ? [] : [['start', startText(quote)]]),
    ...limits.map(({ kind, state, message }) => [kind, `${state}: ${printable(message)}`]),
  ];
  return rows.map(([name = '', text = '']) => `${name.padEnd(15)} ${text}`);
}

/** `tollgate quote`: what a run will cost, and when its price comes down. */
export function quoteCommand(io: CliIo): Command {
  const command = new Command('quote')
    .description('Expected cost and price of an application, from its earlier runs')
    .argument('<application>', 'name of the application')
    .requiredOption('-p, --project <id>', 'project that pays')
    .option('--history <name>', 'name of its earlier runs, where another; * at its end is any text')
    .option('--pool <id>', 'pool whose price it pays; else the first')
    .option('--lock <minutes>', 'lock the price for so long', integer(1, 525_600))
    .option('--max-price <x>', 'tell when it can start at this or less', multiplierOption)
    .option('--max-cost <credits>', 'tell whether it stays within', creditsOption)
    .option(
      '--deadline <time>',
      'tell whether it ends by then: ISO 8601, or +2h',
      timeOption(() => io.clock.now()),
    );
  withResources(command).action(async (application: string, options: QuoteOptions) => {
    const { project, history, pool, lock, maxPrice, maxCost, deadline } = options;
    const planned = plannedResources(options, undefined);
    const quote = await client(io, options).post('/v1/quotes', restQuote, {
      ...{ project, application, history, pool, maxCost, deadline },
      minutes: options.minutes,
      resources: quotedResources(planned),
      lockMinutes: lock,
      maxMultiplier: maxPrice,
    });
    if (options.json) printJson(io, quote);
    else io.out(`${lines(quote).join('\n')}\n`);
    if (!quote.fits) throw new CliError(EXIT.found, 'not within what was asked for');
  });
  return withExample(withShared(command), 'tollgate quote nightly -p etl --max-price 1.2');
}
