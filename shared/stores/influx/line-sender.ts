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
export type SendAnswer = Exclude<WriteAnswer, { kind: 'again' } | { kind: 'misconfigured' }>;

export interface LineSenderDeps {
  readonly connection: {
    write(policy: Policy, lines: string, signal: AbortSignal): Promise<HttpAnswer>;
    unavailable(what: string, cause?: unknown): AppError;
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
   * @throws AppError STORE_UNAVAILABLE, STORE_MISCONFIGURED
   */
  async send(policy: Policy, lines: string): Promise<SendAnswer | undefined> {
    const { clock, connection, logger, random, retryMs } = this.#deps;
    const began = clock.elapsed();
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#attempt(policy, lines);
      if (answer === undefined) return undefined;
      if (!(answer instanceof AppError) && answer.kind !== 'again') {
        if (answer.kind === 'misconfigured') throw connection.misconfigured(answer.what);
        return answer;
      }
      const error =
        answer instanceof AppError ? answer : connection.unavailable('is overloaded or starting');
      if (this.#closing.aborted || clock.elapsed() - began >= retryMs) throw error;
      logger?.warn({ error: error.message, attempt }, 'metrics are sent again');
      await clock.sleep(
        backoffMs(attempt, { baseMs: BASE_MS, capMs: CAP_MS, random }),
        this.#closing,
      );
    }
  }

  async #attempt(policy: Policy, lines: string): Promise<WriteAnswer | AppError | undefined> {
    try {
      const answer = await this.#deps.connection.write(policy, lines, new AbortController().signal);
      if (answer.status >= 200 && answer.status < 300) return undefined;
      return sortWriteAnswer(answer.status, answer.text);
    } catch (error) {
      if (error instanceof AppError && error.code === 'STORE_UNAVAILABLE') return error;
      throw error;
    }
  }
}
