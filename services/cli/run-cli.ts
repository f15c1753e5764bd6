import { Command, CommanderError } from 'commander';
import { AppError } from '../../shared/errors/app-error.ts';
import { CliError, type CliIo, EXIT, type ExitCode } from './cli-io.ts';

export interface Program {
  readonly version: string;
  readonly io: CliIo;
  readonly commands: readonly Command[];
}

const EXIT_CODES = `
Exit codes:
  0  done
  1  done, and something is wrong with what was looked at
  2  the command is not understood
  3  no Tollgate answers
  4  Tollgate answered with a problem
  70 an error inside Tollgate
  125 "run" did not start its command; else it ends as the command does`;

/** Commander would end the process and write by itself; every command inherits neither by default. */
function tame(command: Command, io: CliIo): void {
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  if (io.columns !== undefined) command.configureHelp({ helpWidth: io.columns });
  command.showHelpAfterError('(add --help for what it takes)');
  for (const child of command.commands) tame(child, io);
}

function failureOf(error: unknown, io: CliIo): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliError) {
    if (error.message !== '') io.err(`tollgate: ${error.message}\n`);
    return error.exitCode;
  }
  if (io.signal.aborted) return EXIT.done;
  if (error instanceof AppError) {
    io.err(`tollgate: ${error.message}\n`);
    return error.code === 'INTERNAL' ? EXIT.internal : EXIT.found;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.err(`tollgate: an error inside Tollgate: ${text}\n`);
  return EXIT.internal;
}

/** Runs one command line to its exit code. */
export async function runCli(args: readonly string[], program: Program): Promise<ExitCode> {
  const { io, version, commands } = program;
  const root = new Command('tollgate')
    .description('Observability and cost control of a shared Apache Spark platform')
    .version(version)
    .enablePositionalOptions()
    .addHelpText('after', `\nExample:\n  tollgate demo${`\n${EXIT_CODES}`}`);
  for (const command of commands) root.addCommand(command);
  tame(root, io);
  try {
    await root.parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    return failureOf(error, io);
  }
}
