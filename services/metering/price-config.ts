import { z } from 'zod';
import { DEFAULT_PRICE_RULE, LADDER_STEP, type PriceRule } from '../../shared/price/price-rule.ts';
import { priceRuleProblems } from '../../shared/price/price-rule-problems.ts';
import { parseProjectId } from '../../shared/values/project-id.ts';
import type { Resources } from '../../shared/values/resources.ts';

const milliseconds = (byDefault: number, minimum: number, sentence: string) =>
  z.number().int().min(minimum).max(86_400_000).default(byDefault).describe(sentence);

const multiplierOf = (minimum: number, maximum: number) =>
  z
    .number()
    .min(minimum)
    .max(maximum)
    .multipleOf(LADDER_STEP / 1_000, 'must be on the ladder: a multiple of 0.05');

const multiplier = (byDefault: number, minimum: number, maximum: number, sentence: string) =>
  multiplierOf(minimum, maximum)
    .default(byDefault / 1_000)
    .describe(sentence);

const share = (byDefault: number, sentence: string) =>
  z.number().min(0.01).max(0.99).default(byDefault).describe(sentence);

/** How load moves a price; multipliers as people write them. */
export const priceConfig = z
  .object({
    frozen: z.boolean().default(false).describe('Keeps every price where it is.'),
    riseFactor: share(
      DEFAULT_PRICE_RULE.riseFactor,
      'Weight of 10 s of load above the smoothed one.',
    ),
    fallFactor: share(
      DEFAULT_PRICE_RULE.fallFactor,
      'Weight of 10 s of load below the smoothed one.',
    ),
    knee: share(DEFAULT_PRICE_RULE.knee, 'Share of capacity above which the price rises.'),
    slope: z
      .number()
      .min(0)
      .max(20)
      .default(DEFAULT_PRICE_RULE.slope)
      .describe('Rise of the multiplier between the knee and a full pool.'),
    cap: multiplier(DEFAULT_PRICE_RULE.cap, 1, 10, 'Highest multiplier.'),
    floor: multiplier(
      DEFAULT_PRICE_RULE.floor,
      0.1,
      1,
      'Lowest multiplier, reached by an empty pool; 1 gives no discount.',
    ),
    quiet: share(DEFAULT_PRICE_RULE.quiet, 'Share of capacity below which the discount begins.'),
    moveMax: multiplier(DEFAULT_PRICE_RULE.moveMax, 0.05, 1, 'Largest change at once.'),
    holdMs: milliseconds(DEFAULT_PRICE_RULE.holdMs, 60_000, 'Shortest time between two changes.'),
    noticeMs: milliseconds(
      DEFAULT_PRICE_RULE.noticeMs,
      60_000,
      'Shortest time between announcing a price and its start.',
    ),
    staleMs: milliseconds(DEFAULT_PRICE_RULE.staleMs, 10_000, 'Load older than this never raises.'),
    lostMs: milliseconds(
      DEFAULT_PRICE_RULE.lostMs,
      60_000,
      'Without load for this long a price steps down to 1.',
    ),
    pendingCap: z
      .number()
      .min(0)
      .max(2)
      .default(DEFAULT_PRICE_RULE.pendingCap)
      .describe('Most that a project’s waiting demand counts for, as a share of its cluster.'),
    pendingAgeMs: milliseconds(
      DEFAULT_PRICE_RULE.pendingAgeMs,
      1_000,
      'Waiting demand counts in full once it has waited this long, in part before.',
    ),
  })
  .superRefine((written, context) => {
    const told = new Set(context.issues.map(({ path }) => path?.[0]));
    for (const { member, message } of priceRuleProblems(priceRuleOf(written))) {
      if (told.has(member)) continue;
      context.addIssue({ code: 'custom', path: [member], message });
    }
  });

const capacity = z.object({
  cores: z.number().min(0).max(1_000_000).default(0).describe('Cores.'),
  memoryGib: z.number().min(0).max(1_000_000).default(0).describe('Memory, in GiB.'),
  gpus: z.number().int().min(0).max(1_000_000).default(0).describe('GPUs.'),
});

/** What the price must know of a cluster that its facts don't tell. */
export const clusterPriceConfig = z.object({
  id: z.string().min(1).describe('Name of the cluster.'),
  use: z
    .enum(['shared', 'single-application', 'transient'])
    .default('shared')
    .describe('Who shares it; only a shared one is priced by the pool that takes the rest (*).'),
  capacityMax: capacity
    .optional()
    .describe('What its autoscaler may make of it; what can still be added counts as available.'),
});

/** Prices that a rate card fixes, by project. */
export const fixedMultipliers = z
  .record(
    z.string().refine((text) => parseProjectId(text) === text, 'is no project id'),
    multiplierOf(0.05, 10),
  )
  .default({})
  .describe('Multipliers of projects that load doesn’t move, such as {"etl": 1}.');

type PriceConfig = z.infer<typeof priceConfig>;
export type ClusterPriceConfig = z.infer<typeof clusterPriceConfig>;

/** A multiplier as people write it, in thousandths. */
export const stepOf = (written: number): number => Math.round(written * 1_000);

/** Multipliers as people write them become steps in thousandths. */
export function priceRuleOf(
  { cap, floor, moveMax, ...rest }: PriceConfig,
  clusters: readonly ClusterPriceConfig[] = [],
): PriceRule {
  const capacityMax: Record<string, Resources> = {};
  for (const { id, capacityMax: most } of clusters) {
    if (most === undefined) continue;
    capacityMax[id] = {
      millicores: Math.round(most.cores * 1_000),
      memoryMib: Math.round(most.memoryGib * 1_024),
      gpus: most.gpus,
    };
  }
  return {
    ...DEFAULT_PRICE_RULE,
    ...rest,
    cap: stepOf(cap),
    floor: stepOf(floor),
    moveMax: stepOf(moveMax),
    capacityMax,
  };
}
