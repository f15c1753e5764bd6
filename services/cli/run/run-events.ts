import type { CliIo } from '../cli-io.ts';

/** What `tollgate run` has to say while it works. */
export interface RunEvents {
  /** How it goes. */
  info(event: string, message: string): void;
  /** What a person should know even of a job that goes well. */
  warn(event: string, message: string): void;
}

/**
 * Lines on stderr, since stdout is the command's: `tollgate run: …`, or a JSON object each.
 *
 * @param options.quiet keeps what only tells how it goes to itself, as a cron job needs
 */
export function runEvents(
  { err, clock }: Pick<CliIo, 'err' | 'clock'>,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
): RunEvents {
  const say = (level: string, event: string, message: string): void => {
    const at = new Date(clock.now()).toISOString();
    err(json ? `${JSON.stringify({ at, level, event, message })}\n` : `tollgate run: ${message}\n`);
  };
  return {
    info: (event, message) => {
      if (!quiet) say('info', event, message);
    },
    warn: (event, message) => say('warn', event, message),
  };
}
