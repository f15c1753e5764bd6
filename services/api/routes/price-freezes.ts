import type { z } from 'zod';
import {
  restPriceFreeze,
  restPriceFreezeRequest,
  restPriceFreezes,
} from '../../../shared/contracts/rest-prices.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { PriceFreeze } from '../../../shared/stores/price-freezes.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { ApiDeps } from '../api-deps.ts';
import { demandAllProjects } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';

type Deps = Pick<ApiDeps, 'priceFreezes' | 'pools' | 'clock'>;

const PATH = '/v1/prices/{pool}/freezes';
const SHOWN_MAX = 100;

export function toRestFreeze(freeze: PriceFreeze): z.infer<typeof restPriceFreeze> {
  return { ...freeze, orderedAt: formatInstant(freeze.orderedAt) };
}

/** @throws AppError NOT_FOUND naming the pools that there are */
function mustPool({ pools }: Deps, { pool = '' }: Readonly<Record<string, string>>): string {
  if (pools.includes(pool)) return pool;
  throw new AppError('NOT_FOUND', `there is no pool ${pool}; there are: ${pools.join(', ')}`);
}

/** The switch of a pool's price: what is announced still comes, then the price stays. */
export function priceFreezeEndpoints(deps: Deps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: PATH,
      scope: 'admin',
      summary: 'Freezes the price of a pool where it is, or frees it',
      body: restPriceFreezeRequest,
      answer: restPriceFreeze,
      status: 202,
      async handle({ params, body, caller }) {
        demandAllProjects(caller);
        const pool = mustPool(deps, params);
        const orderedBy = caller.label;
        const freeze = { ...body, pool, orderedBy, orderedAt: deps.clock.now() };
        return toRestFreeze(await deps.priceFreezes.order(freeze));
      },
    }),
    endpoint({
      method: 'get',
      path: PATH,
      scope: 'read',
      summary: 'What was done to the switch of a pool’s price, newest first',
      answer: restPriceFreezes,
      async handle({ params }) {
        const freezes = await deps.priceFreezes.ofPool(mustPool(deps, params), SHOWN_MAX);
        return { freezes: freezes.map(toRestFreeze) };
      },
    }),
  ];
}
