import { z } from 'zod';

const GIB = 1024 ** 3;

/** Options that every embedded store of files a day has; spread into its schema. */
export const fileLimits = {
  maxBytes: z
    .number()
    .int()
    .min(16_777_216)
    .default(20 * GIB)
    .describe('All files together, in bytes; the oldest go when it is passed.'),
  diskReserveBytes: z
    .number()
    .int()
    .min(0)
    .default(GIB)
    .describe('With less than this free on the disk nothing is taken: the ledger needs it.'),
};
