import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import {
  type QuotaReason,
  restQuotaCheck,
  restQuotaCheckRequest,
} from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { LevelState } from '../../../shared/grants/evaluate-levels.ts';
import { balanceOf } from '../../../shared/rating/evaluate-limits.ts';
import {
  evaluateQuota,
  type PlannedUse,
  type QuotaVerdict,
} from '../../../shared/rating/evaluate-quota.ts';
import { shadowVerdict } from '../../../shared/rating/shadow-mode.ts';
import type { Balance } from '../../../shared/stores/ledger-reader.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import { BASE_STEP, type PriceStep } from '../../../shared/values/price-step.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { ApiDeps } from '../api-deps.ts';
import { readLevels, underLevels, withBorrowing } from '../check-levels.ts';
import { badRequest } from '../http/bad-request.ts';
import { type Caller, sees } from '../http/caller.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { plannedResources } from '../planned-resources.ts';
import { toRestLimit, toRestReason } from '../rest-limits.ts';
import { formatMultiplier } from '../rest-money.ts';
import { type QuotaRequest, readQuotaRequest } from './read-quota-request.ts';

type Deps = Pick<
  ApiDeps,
  | 'ledger'
  | 'prices'
  | 'pools'
  | 'tariff'
  | 'fixedSteps'
  | 'limitsOf'
  | 'levels'
  | 'isShadow'
  | 'deniedWork'
  | 'clock'
>;
type QuotaAnswer = z.infer<typeof restQuotaCheck>;

type At = Pick<CheckedPrice, 'pool' | 'now'>;
type QuotaRead = { readonly balance: Balance; readonly step: PriceStep };

const BODY_MAX_BYTES = 16_384;

function plannedUse({ resources, durationMs }: QuotaRequest): PlannedUse | undefined {
  if (resources === undefined) return undefined;
  return { resources: plannedResources(resources), durationMs };
}

/** The price that a project would meet which the ledger doesn't know. */
async function stepOf(prices: Deps['prices'], pool: string, now: Instant): Promise<PriceStep> {
  const epochs = await prices.epochs(pool, now, now + 1);
  return epochs.find(({ start }) => start <= now)?.step ?? BASE_STEP;
}

interface CheckedPrice {
  readonly pool: string;
  readonly step: PriceStep;
  readonly asOf: Instant;
  readonly now: Instant;
}

function toAnswer(
  project: string,
  verdict: QuotaVerdict & { readonly level: string | null },
  price: CheckedPrice,
): QuotaAnswer {
  return {
    allowed: verdict.allowed,
    reason: verdict.reason,
    message: verdict.message,
    project,
    balance: formatCredits(verdict.balance),
    price: { pool: price.pool, multiplier: formatMultiplier(price.step) },
    estimate: verdict.estimate === undefined ? null : formatCredits(verdict.estimate),
    level: verdict.level,
    reasons: verdict.refusals.map(toRestReason),
    limits: verdict.states.map(toRestLimit),
    asOf: formatInstant(price.asOf),
  };
}

/** What limits allow, enforcement may still deny. */
function notDenied<V extends Pick<QuotaVerdict, 'allowed' | 'reason' | 'message'>>(
  verdict: V,
  why: string | undefined,
): V {
  if (!verdict.allowed || why === undefined) return verdict;
  return { ...verdict, allowed: false, reason: 'denied', message: why };
}

interface CheckedProject {
  /** Undefined for one that isn't there, or that the caller may not see. */
  readonly balance?: Balance;
  readonly levels?: readonly LevelState[];
  readonly shadow: boolean;
}

/** One read by key, one decision; no promise where the store is in the process. */
export function createQuotaCheck(
  deps: Deps,
): (request: QuotaRequest, caller: Caller) => QuotaAnswer | Promise<QuotaAnswer> {
  const [firstPool = 'default'] = deps.pools;
  const answer = (
    request: QuotaRequest,
    price: CheckedPrice,
    { balance, levels = [], shadow }: CheckedProject,
  ): QuotaAnswer => {
    const project = balance?.project ?? request.project;
    const step = deps.fixedSteps.get(project) ?? price.step;
    const own = balance && balanceOf(balance);
    const strict = evaluateQuota({
      project,
      account: balance && withBorrowing(balance, levels, own ?? 0n),
      step,
      card: deps.tariff.ofPool(price.pool).cardAt(price.now),
      limits: deps.limitsOf(balance?.project ?? request.project),
      now: price.now,
      planned: plannedUse(request),
    });
    const above = underLevels(strict, levels, price.now);
    const verdict = shadow ? shadowVerdict(above) : notDenied(above, deps.deniedWork(project));
    return toAnswer(project, { ...verdict, balance: own ?? verdict.balance }, { ...price, step });
  };
  const known = (
    request: QuotaRequest,
    at: At,
    { step, balance }: QuotaRead,
  ): QuotaAnswer | Promise<QuotaAnswer> => {
    const price = { ...at, step, asOf: balance.asOf };
    const shadow = deps.isShadow(balance.project);
    const levels = readLevels(deps.levels, balance.project);
    if (!(levels instanceof Promise)) return answer(request, price, { balance, levels, shadow });
    return levels.then((states) => answer(request, price, { balance, levels: states, shadow }));
  };
  return (request, caller) => {
    const pool = request.pool ?? firstPool;
    if (!deps.pools.includes(pool)) {
      const message = `is no pool; there are: ${deps.pools.join(', ')}`;
      throw badRequest([{ path: 'body.pool', message }]);
    }
    const now = deps.clock.now();
    const named = parseProjectId(request.project);
    // A foreign project is as unknown as one that isn't there.
    const project = named !== undefined && sees(caller, named) ? named : undefined;
    const read = project === undefined ? undefined : deps.ledger.quota(project, pool, now);
    if (read !== undefined && !(read instanceof Promise))
      return known(request, { pool, now }, read);
    return Promise.resolve(read).then(async (late) =>
      late === undefined
        ? answer(
            request,
            { pool, now, step: await stepOf(deps.prices, pool, now), asOf: now },
            { shadow: project !== undefined && deps.isShadow(project) },
          )
        : known(request, { pool, now }, late),
    );
  };
}

/** Calls `done` once; not at all when the client goes away. */
function readJson(request: IncomingMessage, done: (error: unknown, body?: unknown) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    const before = bytes;
    bytes += chunk.length;
    if (bytes <= BODY_MAX_BYTES) {
      chunks.push(chunk);
    } else if (before <= BODY_MAX_BYTES) {
      // What still comes is read and forgotten, so that the client gets to reading its answer.
      chunks.length = 0;
      done(new AppError('PAYLOAD_TOO_LARGE', `a quota check is at most ${BODY_MAX_BYTES} bytes`));
    }
  });
  // A client that goes away needs no answer, and nobody needs to act on it.
  request.on('error', () => {});
  request.on('end', () => {
    if (bytes > BODY_MAX_BYTES) return;
    const [first] = chunks;
    const text = chunks.length === 1 && first ? first.toString() : Buffer.concat(chunks).toString();
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      done(new AppError('BAD_REQUEST', 'the body is no JSON; send {"project":"…"}'));
      return;
    }
    done(undefined, body);
  });
}

/** One check on its way: who asks, has been let in and may ask. */
interface QuotaExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  readonly fail: (error: unknown) => void;
}

/**
 * Handles `POST /v1/quota-checks` next to the socket: it stands in the path of every job's start,
 * so nothing of the general machinery (router, body parser, helmet) runs before it.
 */
export function quotaCheckHandler(
  deps: Deps,
  count: (reason: QuotaReason) => void,
): (exchange: QuotaExchange) => void {
  const check = createQuotaCheck(deps);
  const send = (response: ServerResponse, answer: QuotaAnswer): void => {
    count(answer.reason);
    const text = JSON.stringify(answer);
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(text);
  };
  return ({ request, response, caller, fail }) => {
    readJson(request, (error, body) => {
      if (error !== undefined) return fail(error);
      try {
        const answer = check(readQuotaRequest(body), caller);
        if (answer instanceof Promise) {
          answer.then((value) => send(response, value)).catch(fail);
        } else send(response, answer);
      } catch (failure) {
        fail(failure);
      }
    });
  };
}

/** The same check as an endpoint, for the API's description. */
export function quotaCheckEndpoints(deps: Deps): Endpoint[] {
  const check = createQuotaCheck(deps);
  return [
    endpoint({
      method: 'post',
      path: '/v1/quota-checks',
      scope: 'quota-check',
      summary: 'May this job start? Balance, price and estimate with the reason',
      body: restQuotaCheckRequest,
      answer: restQuotaCheck,
      handle: async ({ body, caller }) => check(body, caller),
    }),
  ];
}
