import type { CostReport, ReportedAttempt } from '../../shared/contracts/cost-report.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { SHARERS } from '../../shared/event-log/shared-task-time.ts';
import { UNUSED_METHODS } from '../../shared/rating/split-shared.ts';
import { DEFAULT_RATE_CARD } from '../../shared/values/rate-card.ts';
import { findEventLogs, type LogSource } from './find-event-logs.ts';
import { groupCosts, parseGrouping, parseSharer, sumGroup } from './group-costs.ts';
import { type ReadOptions, type ReadResult, readAttempt } from './read-attempt.ts';
import { readRates, readRules } from './read-settings-file.ts';

export interface ReportOptions {
  /** Files and folders, searched to any depth. */
  readonly paths: readonly string[];
  /** `application`, `project`, `tag:KEY`, or who shared an application: see SHARERS. */
  readonly by: string;
  /** One of UNUSED_METHODS: who of the sharers pays for what nobody used. */
  readonly unused: string;
  /** YAML or JSON; undefined for the default card. */
  readonly ratesFile: string | undefined;
  readonly rulesFile: string | undefined;
  /** YARN's minimum allocation, to which it rounds memory up; 0 takes memory as asked. */
  readonly yarnMemoryStepMib: number;
  readonly onProgress: (bytesRead: number, bytesTotal: number) => void;
  readonly signal: AbortSignal;
}

interface Kept {
  readonly attempt: ReportedAttempt;
  readonly events: number;
}

/** A log with the real end tells more than one without; then the one with more events. */
function tellsMore(a: Kept, b: Kept): boolean {
  if (a.attempt.endInferred !== b.attempt.endInferred) return !a.attempt.endInferred;
  return a.events > b.events;
}

/** The attempts of all logs, each once. */
class Attempts {
  readonly #kept = new Map<string, Kept>();
  readonly duplicates: { path: string; of: string }[] = [];

  add(kept: Kept): void {
    const { application, attempt, start, source } = kept.attempt;
    // Without an attempt's number, two runs of one id are told apart by their start.
    const key = JSON.stringify([application, attempt, start]);
    const other = this.#kept.get(key);
    if (other === undefined) {
      this.#kept.set(key, kept);
    } else if (tellsMore(kept, other)) {
      this.#kept.set(key, kept);
      this.duplicates.push({ path: other.attempt.source, of: source });
    } else {
      this.duplicates.push({ path: source, of: other.attempt.source });
    }
  }

  all(): ReportedAttempt[] {
    return [...this.#kept.values()].map(({ attempt }) => attempt);
  }
}

async function readOrSay(source: LogSource, options: ReadOptions): Promise<ReadResult> {
  try {
    return await readAttempt(source, options);
  } catch (error) {
    options.signal.throwIfAborted();
    const code = (error as NodeJS.ErrnoException).code;
    // A code names an error of the world; without one it is a bug and has to be seen.
    if (code === undefined) throw error;
    const problem = code === 'EACCES' ? 'no permission to read it' : `reading failed: ${code}`;
    return { attempt: undefined, problem, events: 0 };
  }
}

/** @throws AppError that says all that is wrong */
function groupingOf(options: Pick<ReportOptions, 'by' | 'unused'>) {
  const sharer = parseSharer(options.by);
  const by = sharer === undefined ? parseGrouping(options.by) : 'application';
  const unused = UNUSED_METHODS.find((method) => method === options.unused);
  const problems = [
    ...(by === undefined
      ? [
          `cannot group by "${options.by}": use application, project or tag:KEY, or ${SHARERS.join(', ')}`,
        ]
      : []),
    ...(unused === undefined
      ? [`cannot split what nobody used by "${options.unused}": use ${UNUSED_METHODS.join(', ')}`]
      : []),
  ];
  if (by === undefined || unused === undefined) {
    throw new AppError('BAD_REQUEST', problems.join('; '));
  }
  return { by, sharer, unused };
}

/**
 * What Spark applications cost, from their event logs. Reads one log after the other; whatever
 * can't be read is named in `problems`, and the rest is reported.
 *
 * @throws AppError for options or settings files that can't be used
 */
export async function reportCost(options: ReportOptions): Promise<CostReport> {
  const { by, sharer, unused } = groupingOf(options);
  const rateCard =
    options.ratesFile === undefined ? DEFAULT_RATE_CARD : await readRates(options.ratesFile);
  const rules = options.rulesFile === undefined ? [] : await readRules(options.rulesFile);
  const found = await findEventLogs(options.paths);
  const total = found.sources
    .flatMap(({ parts }) => parts)
    .reduce((sum, { bytes }) => sum + bytes, 0);
  let bytesRead = 0;
  const onBytes = (bytes: number): void => {
    bytesRead += bytes;
    options.onProgress(bytesRead, Math.max(total, bytesRead));
  };
  const { yarnMemoryStepMib, signal } = options;
  const reading = { yarnMemoryStepMib, signal, sharer, unused };
  const attempts = new Attempts();
  const problems = [...found.problems];
  for (const source of found.sources) {
    signal.throwIfAborted();
    const read = await readOrSay(source, { ...reading, rateCard, rules, onBytes });
    if (read.problem !== undefined) problems.push({ path: source.path, reason: read.problem });
    if (read.attempt !== undefined) attempts.add({ attempt: read.attempt, events: read.events });
  }
  const all = attempts.all();
  return {
    by,
    sharedBy: sharer,
    unused,
    rateCard,
    groups: groupCosts(all, by),
    total: sumGroup('', all),
    problems,
    duplicates: attempts.duplicates,
  };
}
