import type { z } from 'zod';
import {
  restKeptQuote,
  restKeptQuotes,
  restQuote,
  restQuoteRequest,
} from '../../../shared/contracts/rest-quote.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { KeptQuote } from '../../../shared/stores/quote-store.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { sees } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { quoter } from '../quotes/give-quote.ts';
import { formatMultiplier } from '../rest-money.ts';

type Deps = Pick<
  ApiDeps,
  | 'ledger'
  | 'prices'
  | 'pools'
  | 'tariff'
  | 'fixedSteps'
  | 'quotes'
  | 'workloads'
  | 'quoting'
  | 'random'
  | 'clock'
>;

function toRest(quote: KeptQuote): z.infer<typeof restKeptQuote> {
  const { id, project, application, pool, quotedBy } = quote;
  return {
    ...{ id, project, application, pool, quotedBy },
    multiplier: formatMultiplier(quote.step),
    from: formatInstant(quote.start),
    until: formatInstant(quote.end),
  };
}

/** What a run will cost, at which price, from when on; and the price promised for a while. */
export function quoteEndpoints(deps: Deps): Endpoint[] {
  const give = quoter(deps);
  return [
    endpoint({
      method: 'post',
      path: '/v1/quotes',
      scope: 'quota-check',
      summary: 'Expected cost, price and start of a run; locks the price where that is asked for',
      body: restQuoteRequest,
      answer: restQuote,
      async handle({ body, caller }) {
        const project = parseProjectId(body.project);
        // A foreign project is as unknown as one that isn't there.
        const known =
          project !== undefined && sees(caller, project) && (await deps.ledger.balance(project));
        if (!known) throw new AppError('NOT_FOUND', `there is no project ${body.project}`);
        return give(known.project, body, caller.label);
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/quotes',
      scope: 'read',
      summary: 'Prices that are locked for a project now, soonest end first',
      answer: restKeptQuotes,
      async handle({ project }) {
        const quotes = await deps.quotes.live(project, deps.clock.now());
        return { quotes: quotes.map(toRest) };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/projects/{project}/quotes/{id}',
      scope: 'read',
      summary: 'A locked price, also after its end',
      answer: restKeptQuote,
      async handle({ project, params }) {
        const quote = await deps.quotes.quote(project, params['id'] ?? '');
        if (quote !== undefined) return toRest(quote);
        throw new AppError('NOT_FOUND', `project ${project} has no such quote`);
      },
    }),
  ];
}
