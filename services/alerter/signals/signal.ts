import type { AlertCost, AlertEvidence, AlertTarget } from '../../../shared/contracts/alert.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** What a signal says of one subject at one moment. */
export interface Sample {
  /** Tells the subject apart from the rule's others; becomes the alert's labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly project: ProjectId | undefined;
  readonly target: AlertTarget;
  /** In the signal's unit; undefined: the subject is there and has no value (`no_data`). */
  readonly value: number | undefined;
  /** Why there is no value, such as `divided by zero`; else ''. */
  readonly why: string;
  /** First the value itself, in its unit; then what it follows from. */
  readonly evidence: readonly AlertEvidence[];
  /** Facts for messages, such as the root cause; plain text, untrusted. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly cost: AlertCost | undefined;
}

/** All subjects of a signal at one moment, or why they can't be told. */
export type Reading =
  | {
      readonly outcome: 'answered';
      readonly samples: readonly Sample[];
      /** Data up to here are in it; undefined where nothing tells. Too old makes verdicts `stale`. */
      readonly watermark: Instant | undefined;
      /** False: subjects may be missing, so that none is `gone`. */
      readonly complete: boolean;
    }
  | { readonly outcome: 'failed'; readonly why: string };

/** Reads one signal of a rule. */
export interface SignalReader {
  /**
   * As of `at`, whatever the time is now, where the store remembers: backtests read the past.
   *
   * @param limit most subjects; more is `failed`, never a part
   */
  read(at: Instant, limit: number, signal: AbortSignal): Promise<Reading>;
}
