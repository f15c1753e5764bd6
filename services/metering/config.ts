import { z } from 'zod';
import { WITNESSES } from '../../shared/contracts/container-fact.ts';
import { hierarchyConfig } from '../../shared/grants/hierarchy-config.ts';
import {
  DEFAULT_TRUST,
  DEFAULT_WITNESS_RULE,
  type WitnessRule,
  wholeTrust,
} from '../../shared/intervals/witness-trust.ts';
import type { CreditPrice } from '../../shared/rating/currency-amount.ts';
import type { OutcomePolicy } from '../../shared/rating/outcome.ts';
import { projectLimitsConfig } from '../../shared/rating/project-limits-config.ts';
import { type DatedRateCard, Tariff } from '../../shared/rating/tariff.ts';
import { type ClusterPlace, TariffBook } from '../../shared/rating/tariff-book.ts';
import { DAY_MS, type Instant, parseInstant } from '../../shared/values/instant.ts';
import { parseCredits } from '../../shared/values/money.ts';
import type { PriceStep } from '../../shared/values/price-step.ts';
import { parseProjectId } from '../../shared/values/project-id.ts';
import { checkConfiguredGrants, grantTermsConfig } from './configured-grants.ts';
import {
  type ClusterPriceConfig,
  clusterPriceConfig,
  priceConfig,
  stepOf,
} from './price-config.ts';
import {
  type ClusterMarketConfig,
  clusterMarket,
  rateCard,
  type ScopedRateCardConfig,
  scopedRateCard,
} from './rate-card-config.ts';
import { rateCardProblems } from './rate-card-problems.ts';
import { storagePlaces } from './usage/storage-config.ts';

const milliseconds = (byDefault: number, minimum: number, sentence: string) =>
  z.number().int().min(minimum).max(86_400_000).default(byDefault).describe(sentence);

const project = z.object({
  id: z
    .string()
    .refine((text) => parseProjectId(text) !== undefined, 'is no project id')
    .transform((text) => text.trim().toLowerCase())
    .describe('Project that is known from the start.'),
  grants: z
    .array(
      z.object({
        id: z.string().min(1).max(200).describe('Identity of the grant: it is given once.'),
        credits: z
          .string()
          .refine((text) => parseCredits(text) !== undefined, 'is no amount of credits')
          .describe('Credits given, as a decimal text; negative takes back.'),
        reason: z.string().default('configured').describe('Why, for statements.'),
        terms: grantTermsConfig,
      }),
    )
    .default([])
    .describe('Credits given to it; without any the project is not limited.'),
  limits: projectLimitsConfig,
  storage: storagePlaces,
  shadow: z
    .boolean()
    .default(false)
    .describe('Shadow mode: it is charged and shown, and never refused.'),
});

/** Shares of the price, in percent. */
const outcomes = z.object({
  neverRun: z
    .enum(['charge', 'free'])
    .default('charge')
    .describe('Executors that were granted and that no event log or agent ever saw at work.'),
  preempted: z
    .union([z.enum(['charge', 'free']), z.number().int().min(0).max(100)])
    .default('charge')
    .describe(
      'Containers that the manager took back; a number is the discount in percent, for their whole life.',
    ),
  applicationMaster: z
    .enum(['charge', 'free'])
    .default('charge')
    .describe('Application masters that are no drivers, of YARN in client mode.'),
});

export const meteringConfig = z
  .object({
    rateCard: rateCard.prefault({}).describe('What a container pays for its resources.'),
    earlierRateCards: z
      .array(rateCard)
      .default([])
      .describe('Cards that held before, so that late facts pay the price of their time.'),
    rateCards: z
      .array(scopedRateCard)
      .default([])
      .describe('Cards of a pool, a market or both, which go before the others there.'),
    markets: z
      .array(clusterMarket)
      .default([])
      .describe('On which market the nodes of a cluster are, where that has its own rates.'),
    pools: z
      .array(
        z.object({
          id: z.string().min(1).max(64).describe('Name of the pool.'),
          clusters: z
            .array(z.string().min(1))
            .min(1)
            .describe('Clusters priced together; * stands for shared ones that no pool names.'),
          price: priceConfig
            .optional()
            .describe('How load moves the price of this pool, wholly instead of metering.price.'),
        }),
      )
      .default([{ id: 'default', clusters: ['*'] }])
      .describe('What is priced together; a cluster of no pool pays the base price.'),
    clusters: z
      .array(clusterPriceConfig)
      .default([])
      .describe('What prices must know of clusters that their facts don’t tell.'),
    price: priceConfig.prefault({}).describe('How load moves the price of a pool.'),
    leaseMs: milliseconds(
      600_000,
      10_000,
      'A container not heard of for this long is closed at its last evidence.',
    ),
    trust: z
      .array(z.enum(WITNESSES))
      .default([...DEFAULT_TRUST])
      .describe('Witnesses of containers, most trusted first; those left out come last.'),
    toleranceMs: milliseconds(
      DEFAULT_WITNESS_RULE.toleranceMs,
      0,
      'Witnesses that tell a start or a stop further apart than this disagree.',
    ),
    outcomes: outcomes.prefault({}).describe('What containers pay that did no work.'),
    // A price is announced a minute ahead: who slept for longer has lost the lease to do it.
    meterLeaseMs: z
      .number()
      .int()
      .min(3_000)
      .max(60_000)
      .default(15_000)
      .describe(
        'Of several meters on one ledger, the others take the shards of one silent for this long.',
      ),
    closeGraceMs: z
      .number()
      .int()
      .min(0)
      .max(31 * DAY_MS)
      .default(3 * DAY_MS)
      .describe('How long after its end a month may be closed, so that late facts still come in.'),
    settleIntervalMs: milliseconds(2_000, 100, 'Wait between two settlements.'),
    accrualIntervalMs: milliseconds(
      4_000,
      100,
      'How often the accrual of a running container is brought up to date.',
    ),
    hierarchy: hierarchyConfig,
    projects: z.array(project).default([]).describe('Projects and their first credits.'),
    usagePollMs: milliseconds(300_000, 1_000, 'How often stored bytes and logs are measured.'),
    shadow: z.boolean().default(false).describe('Shadow mode for every project.'),
  })
  .superRefine((config, context) => {
    checkConfiguredGrants(config.projects, context);
    for (const { path, message } of rateCardProblems(config)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    const twice = (values: readonly string[]): boolean => new Set(values).size < values.length;
    if (twice(config.trust)) {
      context.addIssue({
        code: 'custom',
        path: ['trust'],
        message: 'a witness stands there twice',
      });
    }
    if (twice(config.pools.map(({ id }) => id))) {
      context.addIssue({ code: 'custom', path: ['pools'], message: 'two pools have one id' });
    }
    if (twice(config.pools.flatMap(({ clusters }) => [...new Set(clusters)]))) {
      context.addIssue({ code: 'custom', path: ['pools'], message: 'a cluster is in two pools' });
    }
    if (twice(config.clusters.map(({ id }) => id))) {
      context.addIssue({
        code: 'custom',
        path: ['clusters'],
        message: 'a cluster is told of twice',
      });
    }
  });

export type MeteringConfig = z.infer<typeof meteringConfig>;

/** The fixed prices of a card, by project. */
export function fixedStepsOf({
  fixedMultipliers: written,
}: Pick<MeteringConfig['rateCard'], 'fixedMultipliers'>): ReadonlyMap<string, PriceStep> {
  return new Map(Object.entries(written).map(([project, one]) => [project, stepOf(one)]));
}

/** A configured card; the schema has checked its amounts and times. */
function datedCard(written: Omit<ScopedRateCardConfig, 'pool' | 'market'>): DatedRateCard {
  const { id, coreSecond, gibSecond, gpuSecond, rule, minimum, validFrom } = written;
  return {
    card: {
      id,
      coreSecond: parseCredits(coreSecond) ?? 0n,
      gibSecond: parseCredits(gibSecond) ?? 0n,
      gpuSecond: parseCredits(gpuSecond) ?? 0n,
      ...(rule === 'additive' ? {} : { rule }),
      ...(parseCredits(minimum) === 0n ? {} : { minimum: parseCredits(minimum) ?? 0n }),
    },
    validFrom: parseInstant(validFrom) ?? 0,
  };
}

function generalCards({
  rateCard: present,
  earlierRateCards,
}: Pick<MeteringConfig, 'rateCard' | 'earlierRateCards'>): DatedRateCard[] {
  return [present, ...earlierRateCards].map((written) => ({
    ...datedCard(written),
    fixedSteps: fixedStepsOf(written),
  }));
}

/** The cards for every pool and market. */
export function tariffOf(config: Pick<MeteringConfig, 'rateCard' | 'earlierRateCards'>): Tariff {
  return new Tariff(generalCards(config));
}

function marketOf({ market, onDemandNodes, nodes }: ClusterMarketConfig): ClusterPlace['market'] {
  return onDemandNodes === undefined || nodes === undefined
    ? market
    : { onDemand: onDemandNodes, nodes };
}

/** All configured cards, and on which pool and market each cluster is. */
export function tariffBookOf(config: MeteringConfig): TariffBook {
  const pools = poolOf(config.pools, config.clusters);
  const markets = new Map(config.markets.map((one) => [one.cluster, marketOf(one)]));
  return new TariffBook(
    [
      ...generalCards(config),
      ...config.rateCards.map(({ pool, market, ...card }) => ({
        ...datedCard(card),
        pool,
        market,
      })),
    ],
    (cluster) => ({ pool: pools(cluster), market: markets.get(cluster) ?? markets.get('*') }),
  );
}

/** What a credit costs over the month that begins at `at`; undefined where credits are all. */
export function creditPriceOf(
  config: Pick<MeteringConfig, 'rateCard' | 'earlierRateCards'>,
): (at: Instant) => CreditPrice | undefined {
  const cards = [config.rateCard, ...config.earlierRateCards]
    .map(({ currency, validFrom }) => ({ currency, from: parseInstant(validFrom) ?? 0 }))
    .sort((a, b) => a.from - b.from);
  return (at) => {
    const { currency } = cards.findLast(({ from }) => from <= at) ?? cards[0] ?? {};
    if (currency === undefined) return undefined;
    return { currency: currency.code, perCredit: parseCredits(currency.perCredit) ?? 0n };
  };
}

/**
 * The pool of a cluster: the one that names it, else the one that takes the shared clusters that no
 * pool names. What one application has to itself is scarce to nobody else: it pays the base price.
 */
export function poolOf(
  pools: MeteringConfig['pools'],
  clusters: readonly ClusterPriceConfig[] = [],
): (cluster: string) => string | undefined {
  const named = new Map(pools.flatMap(({ id, clusters }) => clusters.map((name) => [name, id])));
  const unshared = new Set(clusters.flatMap(({ id, use }) => (use === 'shared' ? [] : [id])));
  return (cluster) => named.get(cluster) ?? (unshared.has(cluster) ? undefined : named.get('*'));
}

/** How witnesses become one truth, every witness ranked. */
export function witnessRuleOf({
  trust,
  toleranceMs,
}: Pick<MeteringConfig, 'trust' | 'toleranceMs'>): WitnessRule {
  return { trust: wholeTrust(trust), toleranceMs };
}

/** Percent of the price that each outcome pays. */
export function outcomePolicyOf({ outcomes: policy }: Pick<MeteringConfig, 'outcomes'>) {
  const percent = (of: 'charge' | 'free' | number): number =>
    of === 'charge' ? 100 : of === 'free' ? 0 : 100 - of;
  const { neverRun, preempted, applicationMaster } = policy;
  return {
    'never-run': percent(neverRun),
    preempted: percent(preempted),
    'application-master': percent(applicationMaster),
  } satisfies OutcomePolicy;
}
