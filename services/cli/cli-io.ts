import type { Clock } from '../../shared/runtime/clock.ts';

/** What a command sees of the world. */
export interface CliIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Width of the terminal; undefined when the output is no terminal. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file. Throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  readonly clock: Clock;
  /** Aborts when the person stops the command. */
  readonly signal: AbortSignal;
}

/** Exit codes, as `tollgate --help` tells them. */
export const EXIT = {
  done: 0,
  /** The command ran and found something wrong. */
  found: 1,
  usage: 2,
  /** No Tollgate answers. */
  unreachable: 3,
  /** Tollgate answered with a problem. */
  refused: 4,
  internal: 70,
  /** `tollgate run` did not start the command; else its exit code is the command's. */
  notStarted: 125,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message for the person and a code for the script. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
