import { Command } from 'commander';
import type { z } from 'zod';
import { describeConfig, printConfigReference } from '../../../shared/config/describe-config.ts';
import { readConfig } from '../../../shared/config/read-config.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import { printJson, withExample, withJson } from '../command-options.ts';

export const DEFAULT_CONFIG_FILE = 'tollgate.yaml';

/**
 * Reads a configuration file.
 *
 * @throws CliError with every problem as `file:line:column path: message`
 */
export function readConfigFile<S extends z.ZodType>(
  io: CliIo,
  schema: S,
  file: string,
): z.infer<S> {
  const { config, problems } = checkConfigFile(io, schema, file);
  if (problems.length === 0) return config as z.infer<S>;
  const lines = problems.map(
    ({ line, column, path, message }) =>
      `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
  );
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  throw new CliError(EXIT.found, `${file} has ${count}\n${lines.join('\n')}`);
}

function checkConfigFile<S extends z.ZodType>(io: CliIo, schema: S, file: string) {
  let text: string;
  try {
    text = io.readFile(file);
  } catch (cause) {
    const message = `${file} cannot be read; "tollgate config reference > ${file}" writes one`;
    throw new CliError(EXIT.usage, message, { cause });
  }
  return readConfig(schema, { text, env: io.env, readFile: io.readFile });
}

function checkCommand(io: CliIo, loadSchema: () => Promise<z.ZodType>): Command {
  const command = new Command('check')
    .description('Name all problems of a configuration file, with their lines')
    .argument('[file]', 'the file', DEFAULT_CONFIG_FILE)
    .action(async (file: string, options: { readonly json?: true }) => {
      const schema = await loadSchema();
      if (!options.json) {
        readConfigFile(io, schema, file);
        return io.out(`${file} is fine\n`);
      }
      const { problems } = checkConfigFile(io, schema, file);
      printJson(io, { file, problems });
      if (problems.length > 0) throw new CliError(EXIT.found, '');
    });
  return withExample(withJson(command), 'tollgate config check tollgate.yaml');
}

function referenceCommand(io: CliIo, loadSchema: () => Promise<z.ZodType>): Command {
  const command = new Command('reference')
    .description('Every option with type, default and meaning; the output is a valid file')
    .action(async (options: { readonly json?: true }) => {
      const schema = await loadSchema();
      if (options.json) return printJson(io, { options: describeConfig(schema) });
      return io.out(printConfigReference(schema));
    });
  return withExample(withJson(command), 'tollgate config reference > tollgate.yaml');
}

/** `tollgate config check|reference`. The schema is loaded when it is needed, for a quick `--help`. */
export function configCommand(io: CliIo, loadSchema: () => Promise<z.ZodType>): Command {
  const command = new Command('config').description('Check the configuration, or explain it');
  command.addCommand(checkCommand(io, loadSchema)).addCommand(referenceCommand(io, loadSchema));
  return withExample(command, 'tollgate config check');
}
