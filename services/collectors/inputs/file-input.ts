import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { DAY_MS } from '../../../shared/values/instant.ts';
import type { FileEvent, TailedFile } from './file-event.ts';
import { FileFinder } from './find-files.ts';
import { KnownPositions } from './known-positions.ts';
import { compilePathPattern, isNamedBy } from './path-pattern.ts';
import { scanRest } from './scan-rest.ts';
import type { StreamClaims } from './stream-claims.ts';
import { Tailer } from './tailer.ts';

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
  /** How often folders are listed, or less often where that takes long. Default 1,000. */
  readonly scanIntervalMs?: number;
  /** How often files that grew lately are asked for more. Default 100. */
  readonly pollIntervalMs?: number;
  /** Largest piece that is handed on. Default 256 KiB. */
  readonly chunkBytes?: number;
  /** How long a copy or compressed file must be unchanged before it is read. Default 1,500. */
  readonly settleMs?: number;
  /** How long positions of files that are gone are kept. Default 3 days. */
  readonly forgetAfterMs?: number;
  /** Read `.gz` and `.zst` files decompressed. Default true. */
  readonly decompress?: boolean;
  /** Files held open so that a deleted one can be read to its end. Default 2,048. */
  readonly maxOpenFiles?: number;
  /** Whether a new file isn't to be read yet; others go on. */
  readonly hold?: (file: TailedFile) => boolean;
  /** Whose a file is, such as its project: who has much to read gets no more turns than others. */
  readonly shareOf?: (file: TailedFile) => string;
  /** Where several processes see the files: which of them are read here, and from which positions. */
  readonly claims?: StreamClaims;
}

const DEFAULTS = {
  scanIntervalMs: 1_000,
  pollIntervalMs: 100,
  chunkBytes: 256 * 1_024,
  maxOpenFiles: 2_048,
  settleMs: 1_500,
  forgetAfterMs: 3 * DAY_MS,
  decompress: true,
  shareOf: () => '',
};

/**
 * Follows all files that match, in rotation order within a stream, until the signal aborts. Nothing
 * is read ahead: a slow reader holds it back.
 *
 * `for await (const event of tail({…})) if (event.kind === 'data') parse(event.bytes)`
 *
 * @throws AppError CONFIG_INVALID when a pattern can't be understood
 */
export async function* tail(given: TailOptions): AsyncGenerator<FileEvent> {
  const options = { ...DEFAULTS, ...given };
  const { clock, signal, prefix, claims } = options;
  const patterns = options.patterns.map((pattern) => compilePathPattern(pattern, process.cwd()));
  using tailer = new Tailer({
    ...options,
    finder: new FileFinder(patterns, {
      decompress: options.decompress,
      isShared: claims !== undefined,
    }),
    positions: new KnownPositions(prefix, options.checkpoints),
    isOwn: (stream) => patterns.some((pattern) => isNamedBy(pattern, stream)),
  });
  let scanAt = Number.NEGATIVE_INFINITY;
  let tickedAt = clock.elapsed();
  while (!signal.aborted) {
    if (claims?.changed === true) tailer.reclaim(claims, await claims.take());
    if (clock.elapsed() >= scanAt || tailer.rotationSeen) {
      const began = clock.elapsed();
      await tailer.scan();
      const over = clock.elapsed();
      scanAt = over + scanRest(over - began, options.scanIntervalMs);
    }
    const more = yield* tailer.read();
    const due = clock.elapsed() - tickedAt >= options.pollIntervalMs;
    if (more && !due) continue;
    claims?.offerToLeave((isConcerned) => tailer.holdsDeleted(isConcerned));
    yield { kind: 'tick' };
    tickedAt = clock.elapsed();
    if (!more) await clock.sleep(options.pollIntervalMs, signal);
  }
}
