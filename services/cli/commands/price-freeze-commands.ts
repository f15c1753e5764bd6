import { Command } from 'commander';
import { restPriceFreeze } from '../../../shared/contracts/rest-prices.ts';
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

interface FreezeOptions extends SharedOptions {
  readonly reason: string;
}

interface Switch {
  readonly name: 'freeze' | 'unfreeze';
  readonly frozen: boolean;
  readonly description: string;
  readonly outcome: string;
}

const SWITCHES: readonly Switch[] = [
  {
    name: 'freeze',
    frozen: true,
    description: 'Hold the price of a pool where it is',
    outcome: 'what is announced still comes, then the price stays until it is freed',
  },
  {
    name: 'unfreeze',
    frozen: false,
    description: 'Let load move the price of a pool again',
    outcome: 'load moves the price again, within a minute and a step at a time',
  },
];

/** `tollgate price freeze|unfreeze`: the switch of a pool's price, kept with who and why. */
export function priceFreezeCommands(io: CliIo, random: RandomBytes): Command[] {
  return SWITCHES.map(({ name, frozen, description, outcome }) => {
    const command = new Command(name)
      .description(description)
      .argument('<pool>', 'id of the pool')
      .requiredOption('--reason <text>', 'why, kept for whoever asks')
      .action(async (pool: string, _own: FreezeOptions, self: Command) => {
        // What `price` has too, such as --url, is read as its own wherever it stands.
        const { reason, ...options } = self.optsWithGlobals<FreezeOptions>();
        const path = `/v1/prices/${encodeURIComponent(pool)}/freezes`;
        const body = { id: random(16).toString('hex'), frozen, reason };
        const freeze = await client(io, options).post(path, restPriceFreeze, body);
        if (options.json) printJson(io, freeze);
        else io.out(`${printable(pool)}: ${outcome}\n`);
      });
    return withExample(withShared(command), `tollgate price ${name} default --reason "migration"`);
  });
}
