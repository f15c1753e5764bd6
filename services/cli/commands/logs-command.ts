import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { LOG_LEVELS } from '../../../shared/contracts/log-record.ts';
import { restLogs } from '../../../shared/contracts/rest.ts';
import { formatInstant, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import { CliError, type CliIo, EXIT } from '../cli-io.ts';
import {
  client,
  integer,
  type SharedOptions,
  withExample,
  withShared,
} from '../command-options.ts';
import { printable } from '../printable.ts';
import type { Query, RestClient } from '../rest-client.ts';

type Log = z.infer<typeof restLogs>['logs'][number];

interface LogsOptions extends SharedOptions {
  readonly project: string;
  readonly level?: string;
  readonly application?: string;
  readonly container?: string;
  readonly fingerprint?: string;
  readonly from: string;
  readonly until?: string;
  readonly limit: number;
  readonly follow?: true;
}

const PAGE = 1_000;
const POLL_MS = 1_000;
/** Lines that are stored later than this after their time are not followed. */
const LATE_MS = MINUTE_MS;
const RETRY_MS = 2_000;

function lineOf(log: Log): string {
  const where = [log.application, log.container].filter((part) => part !== '').join('/');
  const head = `${log.at} ${log.level.padEnd(5)} ${where === '' ? '-' : where}`;
  const logger = log.logger === '' ? '' : ` ${log.logger}:`;
  return `${printable(`${head}${logger}`)} ${printable(log.message)}`;
}

function parseLevel(text: string): string {
  const level = text.toUpperCase();
  if (LOG_LEVELS.some((known) => known === level)) return level;
  throw new InvalidArgumentError(`It must be one of ${LOG_LEVELS.join(', ')}.`);
}

/** Pages, newest first, until `limit` lines are there or no more exist. */
async function fetchLogs(
  rest: RestClient,
  path: string,
  query: Query,
  limit: number,
): Promise<Log[]> {
  const logs: Log[] = [];
  let cursor: string | undefined;
  do {
    const page = await rest.get(path, restLogs, {
      ...query,
      limit: Math.min(PAGE, limit - logs.length),
      cursor,
    });
    logs.push(...page.logs);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined && logs.length < limit);
  return logs;
}

/** Remembers what was printed, so that a window that overlaps the one before repeats nothing. */
class Printed {
  readonly #keys = new Map<string, Instant>();
  newest: Instant;

  constructor(start: Instant) {
    this.newest = start;
  }

  /** Those that weren't printed yet, oldest first. */
  fresh(logs: readonly Log[]): Log[] {
    const fresh = logs.filter(({ key }) => !this.#keys.has(key)).toReversed();
    for (const log of fresh) {
      const at = Date.parse(log.at);
      this.#keys.set(log.key, at);
      this.newest = Math.max(this.newest, at);
    }
    for (const [key, at] of this.#keys) {
      if (at < this.newest - 2 * LATE_MS) this.#keys.delete(key);
    }
    return fresh;
  }
}

/** `tollgate logs`: searches lines, and follows new ones. */
export function logsCommand(io: CliIo): Command {
  const write = (logs: readonly Log[], json: true | undefined): void => {
    for (const log of logs) io.out(`${json ? JSON.stringify(log) : lineOf(log)}\n`);
  };

  async function follow(rest: RestClient, path: string, query: Query, options: LogsOptions) {
    const printed = new Printed(io.clock.now() - LATE_MS);
    const first = await fetchLogs(rest, path, { ...query, from: options.from }, options.limit);
    write(printed.fresh(first), options.json);
    while (!io.signal.aborted) {
      await io.clock.sleep(POLL_MS, io.signal);
      if (io.signal.aborted) return;
      const from = formatInstant(printed.newest - LATE_MS);
      try {
        const logs = await fetchLogs(rest, path, { ...query, from }, 100 * PAGE);
        write(printed.fresh(logs), options.json);
      } catch (error) {
        if (io.signal.aborted) return;
        if (!(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
        io.err(`tollgate: ${error.message}; trying again\n`);
        await io.clock.sleep(RETRY_MS, io.signal);
      }
    }
  }

  const command = new Command('logs')
    .description('Search the log lines of a project, oldest first')
    .argument('[text...]', 'words that must all occur; "a phrase" in quotes; prefix*')
    .requiredOption('-p, --project <id>', 'project whose lines are searched')
    .addOption(
      new Option(
        '-l, --level <level>',
        'this level and above: debug, info, warn, error …',
      ).argParser(parseLevel),
    )
    .option('-a, --application <id>', 'only this application')
    .option('--container <id>', 'only this container')
    .option('--fingerprint <hash>', 'only repeats of one message')
    .option('--from <time>', '-15m, -2h, -7d, or ISO 8601 with a zone', '-1h')
    .option('--until <time>', 'up to this time, excluded')
    .option('-n, --limit <lines>', 'newest lines at most', integer(1, 100_000), 100)
    .option('-f, --follow', 'go on with new lines until Ctrl+C')
    .action(async (words: string[], options: LogsOptions) => {
      const { level, application, container, fingerprint, from, until, limit } = options;
      if (options.follow && until !== undefined) {
        throw new CliError(EXIT.usage, '--follow and --until exclude each other');
      }
      const rest = client(io, options);
      const path = `/v1/projects/${encodeURIComponent(options.project)}/logs`;
      const text = words.length === 0 ? undefined : words.join(' ');
      const query = { text, level, application, container, fingerprint };
      if (options.follow) return follow(rest, path, query, options);
      const logs = await fetchLogs(rest, path, { ...query, from, until }, limit);
      return write(logs.toReversed(), options.json);
    });
  return withExample(
    withShared(command),
    "tollgate logs -p etl --level warn --from -2h 'lost executor'",
    'tollgate logs -p etl -a application_1700000000000_0042 --follow',
  );
}
