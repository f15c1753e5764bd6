import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CliIo } from './cli-io.ts';
import { DEFAULT_URL, RestClient } from './rest-client.ts';

export interface SharedOptions {
  readonly url: string;
  readonly json?: true;
}

/** What every command that asks a running Tollgate has. */
export function withShared(command: Command): Command {
  return withJson(command).addOption(
    new Option('--url <address>', 'address of Tollgate').default(DEFAULT_URL).env('TOLLGATE_URL'),
  );
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON, for scripts');
}

/** Help that ends with an example. */
export function withExample(command: Command, ...lines: readonly string[]): Command {
  const indented = lines.map((line) => `  ${line}`).join('\n');
  return command.addHelpText('after', `\nExample:\n${indented}`);
}

export function client(io: CliIo, { url }: SharedOptions): RestClient {
  return new RestClient(url, io.signal);
}

/** A whole number of an option, from `min` to `max`. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= min && value <= max && text.trim() !== '') {
      return value;
    }
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export function printJson(io: CliIo, value: unknown): void {
  io.out(`${JSON.stringify(value, null, 2)}\n`);
}
