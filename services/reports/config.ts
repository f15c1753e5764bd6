import { z } from 'zod';
import { attributionRules } from '../../shared/attribution/attribution-rules.ts';

const credits = (of: string) =>
  z
    .union([z.string(), z.number()])
    .transform(String)
    .describe(`Credits for ${of} and second, as a decimal with up to 9 places.`);

/** The file of `--rates`. Whether an amount can be is for the rate card to say. */
export const ratesFile = z.strictObject({
  id: z.string().min(1).max(64).default('file').describe('Name of the card, shown in the report.'),
  coreSecond: credits('one core'),
  gibSecond: credits('one GiB of memory'),
  gpuSecond: credits('one GPU').default('0'),
  rule: z
    .enum(['additive', 'dominant'])
    .default('additive')
    .describe('Whether a container pays all its resources, or the dearest of them alone.'),
  minimum: z
    .union([z.string(), z.number()])
    .transform(String)
    .default('0')
    .describe('Least that a container costs, in credits.'),
});

/** The file of `--rules`: the rules alone, or a file that has them under `attribution`. */
export const rulesFile = z.union([
  attributionRules,
  z.object({ attribution: attributionRules }).transform(({ attribution }) => attribution),
]);
