import type { Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { restQuotaCheck, restQuotaCheckRequest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import {
  evaluateQuota,
  type PlannedUse,
  type QuotaVerdict,
} from '../../../shared/rating/evaluate-quota.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import { formatCredits } from '../../../shared/values/money.ts';
import { BASE_STEP, type PriceStep } from '../../../shared/values/price-step.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import { isResources } from '../../../shared/values/resources.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { formatMultiplier } from '../rest-money.ts';

type Deps = Pick<ApiDeps, 'ledger' | 'pools' | 'rateCard' | 'clock'>;
type QuotaRequest = z.infer<typeof restQuotaCheckRequest>;
type QuotaAnswer = z.infer<typeof restQuotaCheck>;

const BODY_MAX_BYTES = 16_384;

function plannedUse({ resources, durationMs }: QuotaRequest): PlannedUse | undefined {
  if (resources === undefined || durationMs === undefined) return undefined;
  const planned = {
    millicores: Math.round((resources.cores ?? 0) * 1_000),
    memoryMib: resources.memoryMib ?? 0,
    gpus: resources.gpus ?? 0,
  };
  if (!isResources(planned)) {
    throw new AppError('BAD_REQUEST', 'resources: no job can hold these; use amounts of 0 or more');
  }
  return { resources: planned, durationMs };
}

function toAnswer(
  request: QuotaRequest,
  verdict: QuotaVerdict,
  price: { readonly pool: string; readonly step: PriceStep; readonly asOf: number },
): QuotaAnswer {
  return {
    allowed: verdict.allowed,
    reason: verdict.reason,
    message: verdict.message,
    project: request.project,
    balance: formatCredits(verdict.balance),
    price: { pool: price.pool, multiplier: formatMultiplier(price.step) },
    estimate: verdict.estimate === undefined ? null : formatCredits(verdict.estimate),
    asOf: formatInstant(price.asOf),
  };
}

/** One read by key, one decision; no promise where the store is in the process. */
export function createQuotaCheck(
  deps: Deps,
): (request: QuotaRequest) => QuotaAnswer | Promise<QuotaAnswer> {
  const [firstPool = 'default'] = deps.pools;
  type Read = Awaited<ReturnType<Deps['ledger']['quota']>>;
  const answer = (request: QuotaRequest, pool: string, read: Read): QuotaAnswer => {
    const step = read?.step ?? BASE_STEP;
    const verdict = evaluateQuota({
      project: request.project,
      account: read?.balance,
      step,
      card: deps.rateCard,
      planned: plannedUse(request),
    });
    return toAnswer(request, verdict, {
      pool,
      step,
      asOf: read?.balance.asOf ?? deps.clock.now(),
    });
  };
  return (request) => {
    const pool = request.pool ?? firstPool;
    if (!deps.pools.includes(pool)) {
      throw new AppError(
        'BAD_REQUEST',
        `pool: there is no pool of this name; known: ${deps.pools}`,
      );
    }
    const project = parseProjectId(request.project);
    if (project === undefined) return answer(request, pool, undefined);
    const read = deps.ledger.quota(project, pool, deps.clock.now());
    return read instanceof Promise
      ? read.then((value) => answer(request, pool, value))
      : answer(request, pool, read);
  };
}

/**
 * The commonest body by far is `{"project":"…"}`: it is taken without the schema, which gives the
 * same verdict on it at ten times the price. A test holds the two equal.
 */
export function parseQuotaRequest(body: unknown): QuotaRequest {
  if (typeof body === 'object' && body !== null) {
    const [key, ...rest] = Object.keys(body);
    if (key === 'project' && rest.length === 0 && 'project' in body) {
      if (typeof body.project === 'string') return { project: body.project };
    }
  }
  return restQuotaCheckRequest.strict().parse(body);
}

function readJson(request: Request, done: (error: unknown, body?: unknown) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk);
  });
  request.on('error', done);
  request.on('end', () => {
    if (bytes > BODY_MAX_BYTES) {
      done(new AppError('PAYLOAD_TOO_LARGE', `a quota check is at most ${BODY_MAX_BYTES} bytes`));
      return;
    }
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

/**
 * Handles `POST /v1/quota-checks` next to the socket: it stands in the path of every job's start,
 * so nothing of the general machinery (body parser, helmet, ETag) runs before it.
 */
export function quotaCheckHandler(deps: Deps): RequestHandler {
  const check = createQuotaCheck(deps);
  const send = (response: Response, answer: QuotaAnswer): void => {
    const text = JSON.stringify(answer);
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    });
    response.end(text);
  };
  return (request, response, next) => {
    readJson(request, (error, body) => {
      if (error !== undefined) return next(error);
      try {
        const answer = check(parseQuotaRequest(body));
        if (answer instanceof Promise) {
          answer.then((value) => send(response, value)).catch(next);
        } else send(response, answer);
      } catch (failure) {
        next(failure);
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
      summary: 'May this job start? Balance, price and estimate with the reason',
      body: restQuotaCheckRequest,
      answer: restQuotaCheck,
      handle: async ({ body }) => check(body),
    }),
  ];
}
