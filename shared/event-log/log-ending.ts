import type { ApplicationEnding } from '../contracts/container-fact.ts';
import { type JsonObject, numberField, objectField, textField } from './json-fields.ts';

const REASON_MAX = 1_000;

/** How an application ended, from its log: what its last job came to, and its exit code. */
export class LogEnding {
  #failure: string | undefined;

  /** `JobEnd`; the last one stands. */
  jobEnded(event: JsonObject): void {
    const result = objectField(event, 'Job Result');
    const isFailed = textField(result, 'Result', 64) === 'JobFailed';
    const message = textField(objectField(result, 'Exception'), 'Message', REASON_MAX);
    this.#failure = isFailed ? message || 'its last job failed' : undefined;
  }

  /**
   * `ApplicationEnd`, which has an exit code since Spark 4.0, where the driver set one. Undefined:
   * before that a log tells no success, and a failure only by its last job.
   */
  of(event: JsonObject): ApplicationEnding | undefined {
    const exitCode = numberField(event, 'ExitCode');
    const reason = this.#failure ?? '';
    if (exitCode === undefined) {
      return this.#failure === undefined ? undefined : { outcome: 'failed', reason };
    }
    return exitCode === 0
      ? { outcome: 'succeeded', reason: '', exitCode }
      : { outcome: 'failed', reason: reason || `exit code ${exitCode}`, exitCode };
  }
}
