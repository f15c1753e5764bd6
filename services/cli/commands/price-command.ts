import { Command } from 'commander';
import type { z } from 'zod';
import { restPrices } from '../../../shared/contracts/rest.ts';
import type { RandomBytes } from '../../../shared/tokens/api-token.ts';
import type { CliIo } from '../cli-io.ts';
import {
  client,
  printJson,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { printable } from '../printable.ts';
import { stepLine } from '../step-line.ts';
import { table } from '../table.ts';
import { priceFreezeCommands } from './price-freeze-commands.ts';

type Pool = z.infer<typeof restPrices>['pools'][number];
type Epoch = Pool['now'];
type Why = NonNullable<Epoch['why']>;

interface PriceOptions extends SharedOptions {
  readonly pool?: string;
  readonly from: string;
  readonly why?: true;
}

/** The line stays readable beside its table. */
const LINE_COLUMNS = 48;
/** A price of this much fills the line even when it never came to it. */
const LOWEST_CEILING = 1.5;

function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)}`;
}

function rows({ pool, now, next, history }: Pool): string[][] {
  const row = (name: string, { start, end, multiplier, reason }: Epoch, state: string) => [
    name,
    `${multiplier} X`,
    minute(start),
    end === null ? '' : minute(end),
    state,
    reason,
  ];
  const past = history.filter(({ start }) => start !== now.start && start !== next?.start);
  return [
    ...(next === null ? [] : [row(pool, next, 'announced')]),
    row(pool, now, 'now'),
    ...past.toReversed().map((epoch) => row(pool, epoch, '')),
  ];
}

/** The price of the window as one stepped line, up to now. */
function line({ pool, now, history }: Pool, until: number): string {
  const points = [...history, now]
    .map(({ start, multiplier }) => ({ start: Date.parse(start), value: Number(multiplier) }))
    .filter(({ start }) => start <= until)
    .sort((a, b) => a.start - b.start);
  const from = points[0]?.start ?? until;
  if (from >= until) return `${pool}  ${now.multiplier} X`;
  const ceiling = Math.max(LOWEST_CEILING, ...points.map(({ value }) => value));
  const drawn = stepLine(points, { from, until }, { floor: 1, ceiling }, LINE_COLUMNS);
  return `${pool}  ${drawn}  ${now.multiplier} X`;
}

/** The reason of each price, newest first, and of what was thought last. */
function reasons({ pool, now, next, history, thought }: Pool): string {
  const past = history.filter(({ start }) => start !== now.start && start !== next?.start);
  const epochs = [...(next === null ? [] : [next]), now, ...past.toReversed()];
  const lines = epochs.flatMap(({ start, multiplier, reason, why }) => {
    const head = `  ${minute(start)}  ${multiplier} X  ${why?.text ?? reason}`;
    return why == null ? [head] : [head, `${' '.repeat(28)}${usage(why)}`];
  });
  const last = thought == null ? [] : [`  ${minute(thought.at)}  thought  ${thought.why.text}`];
  const freeze = thought?.freeze;
  const state = freeze?.frozen ? 'frozen' : 'freed';
  const by = freeze?.orderedBy === '' ? '' : ` by ${freeze?.orderedBy}`;
  const held =
    freeze == null ? [] : [`  ${minute(freeze.orderedAt)}  ${state}${by}: ${freeze.reason}`];
  return [`Why ${pool}`, ...held, ...last, ...lines].map(printable).join('\n');
}

function usage({ allocated, pending, capacity }: Why): string {
  const part = (kind: keyof typeof capacity, unit: string, perUnit: number): string[] => {
    const text = (amount: number): string => String(Math.round((amount / perUnit) * 10) / 10);
    if (capacity[kind] === 0) return [];
    const waiting = pending[kind] > 0 ? `, ${text(pending[kind])} waiting` : '';
    return [`${text(allocated[kind])} of ${text(capacity[kind])} ${unit} in use${waiting}`];
  };
  return [
    ...part('cores', 'cores', 1),
    ...part('memoryMib', 'GiB', 1_024),
    ...part('gpus', 'GPUs', 1),
  ].join(' · ');
}

/** `tollgate price`: what a unit costs now, what is announced, and how it came there. */
export function priceCommand(io: CliIo, random: RandomBytes): Command {
  const command = new Command('price')
    .description('Price of each pool: now, announced, and before')
    .option('--pool <id>', 'only this pool')
    .option('--from <time>', 'begin of the history: -6h, or ISO 8601 with a zone', '-6h')
    .option('--why', 'tell the reason of each price, and of its staying now')
    .action(async (options: PriceOptions) => {
      const { pool, from } = options;
      const query = { pool, from, ...(options.why ? { why: 'true' } : {}) };
      const prices = await client(io, options).get('/v1/prices', restPrices, query);
      if (options.json) return printJson(io, prices);
      const until = io.clock.now();
      for (const one of prices.pools) io.out(`${line(one, until)}\n`);
      const columns = ['POOL', 'PRICE', 'FROM (UTC)', 'UNTIL', '', 'REASON'];
      const text = table(
        columns.map((title) => ({ title })),
        prices.pools.flatMap(rows),
      );
      io.out(`\n${text}\n`);
      if (options.why) for (const one of prices.pools) io.out(`\n${reasons(one)}\n`);
    });
  for (const switched of priceFreezeCommands(io, random)) command.addCommand(switched);
  return withExample(
    withShared(command),
    'tollgate price --from -24h',
    'tollgate price --pool default --why',
    'tollgate price freeze default --reason "nightly migration"',
  );
}
