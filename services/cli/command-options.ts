import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError, type CliIo, EXIT } from './cli-io.ts';
import { DEFAULT_URL, RestClient } from './rest-client.ts';

export interface SharedOptions {
  readonly url: string;
  readonly json?: true;
  readonly tokenFile?: string;
}

/** What every command that asks a running Tollgate has. */
export function withShared(command: Command): Command {
  return withJson(command)
    .addOption(
      new Option('--url <address>', 'address of Tollgate').default(DEFAULT_URL).env('TOLLGATE_URL'),
    )
    .option('--token-file <file>', 'file with the API token; else TOLLGATE_TOKEN, if it is set');
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON, for scripts');
}

/** Help that ends with an example. */
export function withExample(command: Command, ...lines: readonly string[]): Command {
  const indented = lines.map((line) => `  ${line}`).join('\n');
  return command.addHelpText('after', `\nExample:\n${indented}`);
}

/** A token is no argument: those stand in the list of processes and the history of the shell. */
export function readToken(io: CliIo, file: string | undefined): string | undefined {
  if (file === undefined) return io.env['TOLLGATE_TOKEN']?.trim() || undefined;
  let text: string;
  try {
    text = io.readFile(file);
  } catch (cause) {
    const message = `--token-file ${file} cannot be read; check its path and rights`;
    throw new CliError(EXIT.usage, message, { cause });
  }
  return text.trim();
}

export function client(io: CliIo, { url, tokenFile }: SharedOptions): RestClient {
  return new RestClient(url, io.signal, readToken(io, tokenFile));
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
