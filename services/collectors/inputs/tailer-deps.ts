import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { TailedFile } from './file-event.ts';
import type { FileFinder } from './find-files.ts';
import type { KnownPositions } from './known-positions.ts';
import type { StreamClaims } from './stream-claims.ts';

export interface TailerDeps {
  readonly finder: FileFinder;
  readonly positions: KnownPositions;
  /** Whether a stream is one of this input; the positions of others are not its own to forget. */
  readonly isOwn: (stream: string) => boolean;
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly chunkBytes: number;
  readonly maxOpenFiles: number;
  readonly forgetAfterMs: number;
  /** A copy or compressed file that changed this lately may still be in the making. */
  readonly settleMs: number;
  /** Whether a file isn't to be read yet. It is held open, so that it can be read once deleted. */
  readonly hold?: (file: TailedFile) => boolean;
  readonly shareOf: (file: TailedFile) => string;
  /** Where other processes see the files too. */
  readonly claims?: StreamClaims;
}
