import { type Request, Router } from 'express';
import { agentHeartbeat } from '../../../shared/contracts/agent.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { AgentBook } from './agent-book.ts';
import { ByteBudget } from './byte-budget.ts';
import { readBody } from './read-body.ts';
import { clusterOf } from './request-place.ts';

export interface HeartbeatInputOptions {
  readonly book: Pick<AgentBook, 'hear'>;
  /** The projects that whoever sends this may speak for; undefined for all. */
  readonly projectsOf: (request: Request) => readonly ProjectId[] | undefined;
}

const BODY_MAX_BYTES = 65_536;
/** Of all heartbeats in work; more get 429. */
const QUEUE_MAX_BYTES = 16_777_216;
const RETRY_AFTER_MS = 5_000;

/** `POST /v1/ingest/heartbeats`: the agent of a driver is alive, and hears what it should do. */
export function createHeartbeatInput({ book, projectsOf }: HeartbeatInputOptions): Router {
  const budget = new ByteBudget(QUEUE_MAX_BYTES);
  const router = Router();
  router.post('/v1/ingest/heartbeats', async (request, response) => {
    const onlyProjects = projectsOf(request);
    const cluster = clusterOf(request);
    using share = budget.open(undefined);
    const limits = { maxBytes: BODY_MAX_BYTES, share, retryAfterMs: RETRY_AFTER_MS };
    const body = await readBody(request, limits);
    const parsed = agentHeartbeat.safeParse(parseJson(body));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue?.path.join('.') || 'the body';
      throw new AppError('BAD_REQUEST', `${where}: ${issue?.message ?? 'is no heartbeat'}`);
    }
    response.json(await book.hear({ heartbeat: parsed.data, cluster, onlyProjects }));
  });
  router.all('/v1/ingest/heartbeats', (request, response) => {
    response.setHeader('Allow', 'POST');
    throw new AppError('METHOD_NOT_ALLOWED', `${request.path} takes POST`);
  });
  return router;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new AppError('BAD_REQUEST', 'the body is no JSON');
  }
}
