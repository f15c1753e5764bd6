import { z } from 'zod';

/** How long a collector's shared files are its own without a renewal. */
export const sharedLeaseMs = z
  .int()
  .min(1_000)
  .default(15_000)
  .describe('Time after which others take over the shared files of a collector that died, in ms.');
