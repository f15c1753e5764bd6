import { z } from 'zod';
import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import { restPrices } from '../../../shared/contracts/rest.ts';
import { must } from '../../../shared/errors/assert.ts';
import { DAY_MS, formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { BASE_STEP } from '../../../shared/values/price-step.ts';
import type { ApiDeps } from '../api-deps.ts';
import { badRequest } from '../http/bad-request.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { checkWindow, timeParameter } from '../http/query-schema.ts';
import { whyOfEpoch, whyOfEvaluation } from '../price-why.ts';
import { toRestEpoch } from '../rest-money.ts';
import { toRestFreeze } from './price-freezes.ts';

type Deps = Pick<ApiDeps, 'prices' | 'priceFreezes' | 'pools' | 'clock' | 'startedAt'>;

/** How far ahead a change can be announced. */
const AHEAD_MS = DAY_MS;

/** Before its first epoch a pool has the base price; the ledger keeps no row of that. */
function baseEpoch(pool: string, start: Instant, first: PriceEpoch | undefined): PriceEpoch {
  return {
    id: '',
    pool,
    step: BASE_STEP,
    start,
    end: first?.start,
    ruleVersion: '',
    reason: 'base',
    inputs: '{}',
  };
}

interface Asked {
  readonly from: Instant;
  readonly until: Instant;
  readonly why: boolean;
}

async function thoughtOf({ prices, priceFreezes }: Deps, pool: string) {
  const evaluation = await prices.evaluation(pool);
  const why = evaluation === undefined ? null : whyOfEvaluation(evaluation);
  if (evaluation === undefined || why === null) return null;
  const [freeze] = await priceFreezes.ofPool(pool, 1);
  return {
    at: formatInstant(evaluation.at),
    why,
    freeze: freeze === undefined ? null : toRestFreeze(freeze),
  };
}

async function poolPrices(deps: Deps, pool: string, { from, until, why }: Asked) {
  const now = deps.clock.now();
  const earliest = Math.min(from, now);
  const recorded = await deps.prices.epochs(pool, earliest, now + AHEAD_MS);
  const [first] = recorded;
  const base = baseEpoch(pool, Math.min(deps.startedAt, earliest), first);
  const epochs = first !== undefined && first.start <= earliest ? recorded : [base, ...recorded];
  const current = must(
    epochs.findLast(({ start }) => start <= now),
    'a pool always has a price',
  );
  const next = epochs.find(({ start }) => start > now);
  const history = epochs.filter(
    ({ start, end }) => start < until && (end === undefined || end > from),
  );
  const told = (epoch: PriceEpoch) =>
    why ? { ...toRestEpoch(epoch), why: whyOfEpoch(epoch) } : toRestEpoch(epoch);
  return {
    pool,
    now: told(current),
    next: next === undefined ? null : told(next),
    history: history.map(told),
    ...(why ? { thought: await thoughtOf(deps, pool) } : {}),
  };
}

export function priceEndpoints(deps: Deps): Endpoint[] {
  const now = () => deps.clock.now();
  return [
    endpoint({
      method: 'get',
      path: '/v1/prices',
      scope: 'read',
      summary: 'Price of each pool now, announced next, and before',
      query: z.object({
        pool: z.string().max(64).optional().meta({ description: 'Only this pool' }),
        from: timeParameter(now, '-6h'),
        until: timeParameter(now, 'now'),
        why: z
          .enum(['true', 'false'])
          .default('false')
          .transform((text) => text === 'true')
          .meta({ description: 'Tell the reason of each price, and of its staying now' }),
      }),
      answer: restPrices,
      async handle({ query }) {
        const { pool } = query;
        checkWindow(query);
        if (pool !== undefined && !deps.pools.includes(pool)) {
          const message = `is no pool; there are: ${deps.pools.join(', ')}`;
          throw badRequest([{ path: 'query.pool', message }]);
        }
        const wanted = deps.pools.filter((id) => pool === undefined || id === pool);
        const pools = await Promise.all(wanted.map((id) => poolPrices(deps, id, query)));
        return { pools };
      },
    }),
  ];
}
