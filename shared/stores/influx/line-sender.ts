import { AppError } from '../../errors/app-error.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { HttpAnswer } from './influx-connection.ts';
import type { Policy } from './influx-target.ts';
import { sortWriteAnswer, type WriteAnswer } from './write-answer.ts';

const BASE_MS = 100;
const CAP_MS = 3_000;

/** What a request left open, when it isn't simply stored. */
export type SendAnswer = Exclude<WriteAnswer, { kind: 'again' | 'full' | 'misconfigured' }>;

export interface LineSenderDeps {
  readonly connection: {
    write(policy: Policy, lines: string, signal: AbortSignal): Promise<HttpAnswer>;
    unavailable(what: string, cause?: unknown): AppError;
    full(): AppError;
    misconfigured(what: string): AppError;
  };
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger?: Logger;
  readonly retryMs: number;
}

/** Sends lines, and sends them again while it isn't known whether they are stored. */
export class LineSender {
  readonly #deps: LineSenderDeps;
  readonly #closing: AbortSignal;

  /** @param closing ends the waiting for a server that is away, not a request under way */
  constructor(deps: LineSenderDeps, closing: AbortSignal) {
    this.#deps = deps;
    this.#closing = closing;
  }

  /**
   * Resolves with undefined when all is stored, else with what the server says of the points.
   *
   * @throws AppError STORE_UNAVAILABLE, DISK_FULL, STORE_MISCONFIGURED
   */
  async send(policy: Policy, lines: string): Promise<SendAnswer | undefined> {
    const { clock, logger, random, retryMs } = this.#deps;
    const began = clock.elapsed();
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#attempt(policy, lines);
      if (!(answer instanceof AppError)) return answer;
      if (this.#closing.aborted || clock.elapsed() - began >= retryMs) throw answer;
      logger?.warn({ error: answer.message, attempt }, 'metrics are sent again');
      await clock.sleep(
        backoffMs(attempt, { baseMs: BASE_MS, capMs: CAP_MS, random }),
        this.#closing,
      );
    }
  }

  /** An error is returned when the same again is right. */
  async #attempt(policy: Policy, lines: string): Promise<SendAnswer | AppError | undefined> {
    const { connection } = this.#deps;
    let said: HttpAnswer;
    try {
      said = await connection.write(policy, lines, new AbortController().signal);
    } catch (error) {
      if (error instanceof AppError && error.code === 'STORE_UNAVAILABLE') return error;
      throw error;
    }
    if (said.status >= 200 && said.status < 300) return undefined;
    const answer = sortWriteAnswer(said.status, said.text);
    switch (answer.kind) {
      case 'again':
        return connection.unavailable('is overloaded or starting');
      case 'full':
        return connection.full();
      case 'misconfigured':
        throw connection.misconfigured(answer.what);
      default:
        return answer;
    }
  }
}
