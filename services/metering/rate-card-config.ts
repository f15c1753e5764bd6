import { z } from 'zod';
import { isCurrency } from '../../shared/rating/currency-amount.ts';
import { HOUR_MS, parseInstant } from '../../shared/values/instant.ts';
import { parseCredits } from '../../shared/values/money.ts';
import { fixedMultipliers } from './price-config.ts';

/** With the largest container that is believed, no charge line passes a 64-bit integer. */
const RATE_MAX = { core: '1', gib: '1', gpu: '10', minimum: '1000000' };

function creditsUpTo(maximum: string) {
  return z.string().refine((text) => {
    const amount = parseCredits(text);
    return amount !== undefined && amount >= 0n && amount <= (parseCredits(maximum) ?? 0n);
  }, `must be credits from 0 to ${maximum}, with at most nine decimals`);
}

function rate(maximum: string, unit: string, byDefault: string) {
  return creditsUpTo(maximum)
    .default(byDefault)
    .describe(`Credits for one ${unit} and second, as a decimal text.`);
}

const id = z
  .string()
  .min(1)
  .max(64)
  .describe('Name of the card in every charge; changed rates need another name.');

const rates = {
  coreSecond: rate(RATE_MAX.core, 'core', '0.0009'),
  gibSecond: rate(RATE_MAX.gib, 'GiB of memory', '0.0001'),
  gpuSecond: rate(RATE_MAX.gpu, 'GPU', '0.02'),
  rule: z
    .enum(['additive', 'dominant'])
    .default('additive')
    .describe('Whether a container pays all its resources, or the dearest of them alone.'),
  minimum: creditsUpTo(RATE_MAX.minimum)
    .default('0')
    .describe('Least that a container costs over its life, in credits; the rest is a line apart.'),
  validFrom: z
    .string()
    .refine((text) => (parseInstant(text) ?? 1) % HOUR_MS === 0, 'must be a whole hour in UTC')
    .default('1970-01-01T00:00:00Z')
    .describe('Whole UTC hour from which the card holds, such as 2026-12-01T00:00:00Z.'),
};

const currency = z
  .object({
    code: z
      .string()
      .refine(isCurrency, 'is no currency of ISO 4217, such as EUR')
      .describe('Currency of ISO 4217.'),
    perCredit: z
      .string()
      .refine((text) => (parseCredits(text) ?? 0n) > 0n, 'must be above 0, with at most 9 decimals')
      .describe('What one credit costs, as a decimal text.'),
  })
  .optional()
  .describe(
    'What a credit costs in money; the same over a whole month. Without it, credits alone.',
  );

export const rateCard = z.object({
  id: id.default('default'),
  ...rates,
  currency,
  fixedMultipliers,
});

export const scopedRateCard = z.object({
  id,
  pool: z.string().min(1).optional().describe('Pool that it is for; without it, every one.'),
  market: z
    .enum(['on-demand', 'spot'])
    .optional()
    .describe('Market of the nodes that it is for; without it, every one.'),
  ...rates,
});

const nodeCount = z.number().int().min(1).max(1_000_000);

export const clusterMarket = z.object({
  cluster: z.string().min(1).describe('Name of the cluster; * stands for all others.'),
  market: z.enum(['on-demand', 'spot']).describe('Market of its nodes.'),
  onDemandNodes: nodeCount
    .optional()
    .describe('Of a spot cluster: how many nodes, the first ones, are on demand all the same.'),
  nodes: nodeCount.optional().describe('How many nodes it has, where some are on demand.'),
});

export type RateCardConfig = z.infer<typeof rateCard>;
export type ScopedRateCardConfig = z.infer<typeof scopedRateCard>;
export type ClusterMarketConfig = z.infer<typeof clusterMarket>;
