import { type Request, type RequestHandler, Router } from 'express';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { type ProjectId, parseProjectId } from '../../../shared/values/project-id.ts';
import type { IngestHandler } from '../core/ingest.ts';
import { AgentBook, type AgentBookDeps } from './agent-book.ts';
import { ByteBudget } from './byte-budget.ts';
import { createHeartbeatInput } from './heartbeat-input.ts';
import { readBody } from './read-body.ts';
import { clusterOf, header } from './request-place.ts';

export type IngestHandlers = Readonly<Record<QuarantinedRecord['collector'], IngestHandler>>;

export interface HttpInputOptions {
  readonly handlers: IngestHandlers;
  /** Largest body after decompression; more gets 413. */
  readonly bodyMaxBytes: number;
  /** Bodies of all requests in work, of one project half of it; more get 429 with Retry-After. */
  readonly queueMaxBytes: number;
  readonly clock: Clock;
  /** What a sender that gets 429 is told to wait. */
  readonly retryAfterMs?: number;
  /** The projects that whoever sends this may write to; undefined for all. */
  readonly projectsOf?: (request: Request) => readonly ProjectId[] | undefined;
  /** Answers agents' heartbeats too. */
  readonly agents?: AgentBookDeps;
  /** Requests at a time, of one project half of it; a decompressor of each may hold 8 MiB beside its body. */
  readonly requestsMax?: number;
}

const CONTENT_TYPES = [
  'application/x-ndjson',
  'application/jsonl',
  'application/json',
  'text/plain',
];
function checkType(request: Request): void {
  const type = (request.headers['content-type'] ?? 'application/x-ndjson').split(';')[0]?.trim();
  if (CONTENT_TYPES.includes(type ?? '')) return;
  throw new AppError(
    'UNSUPPORTED_MEDIA',
    `Content-Type ${type} is not supported; send newline-delimited JSON as application/x-ndjson`,
  );
}

function projectOf(request: Request): ProjectId | undefined {
  const text = header(request, 'tollgate-project');
  if (text === undefined) return undefined;
  const project = parseProjectId(text);
  if (project === undefined) {
    throw new AppError('BAD_REQUEST', 'Tollgate-Project: the header is no project id');
  }
  return project;
}

/** Whose records a sender with a token of some projects sends: it says so, unless there is one only. */
function boundProject(
  named: ProjectId | undefined,
  projects: readonly ProjectId[],
): ProjectId | undefined {
  if (named !== undefined) {
    if (projects.includes(named)) return named;
    throw new AppError('NOT_FOUND', `there is no project ${named}`);
  }
  if (projects.length === 1) return projects[0];
  const message = `Tollgate-Project: name the project, one of ${projects.join(', ')}`;
  throw new AppError('BAD_REQUEST', message);
}

/**
 * `POST /v1/ingest/{logs,progress,metrics,containers}`: newline-delimited JSON, plain, gzip or
 * zstd. Answers 2xx only when the collector has stored, with a verdict for every refused line.
 */
export function createHttpInput(options: HttpInputOptions): Router {
  const { handlers, bodyMaxBytes, queueMaxBytes, clock } = options;
  const { retryAfterMs = 1_000, requestsMax = 64 } = options;
  const budget = new ByteBudget(queueMaxBytes);
  const places = new ByteBudget(requestsMax);

  const handle =
    (collector: IngestHandler): RequestHandler =>
    async (request, response) => {
      checkType(request);
      const onlyProjects = options.projectsOf?.(request);
      const named = projectOf(request);
      const project = onlyProjects === undefined ? named : boundProject(named, onlyProjects);
      const cluster = clusterOf(request);
      using place = places.open(project);
      if (!place.grow(1)) {
        const message = 'too many requests of this project are in work; send the same again later';
        throw new AppError('OVERLOADED', message, { details: { retryAfterMs } });
      }
      using share = budget.open(project);
      const body = await readBody(request, { maxBytes: bodyMaxBytes, share, retryAfterMs });
      const receivedAt = clock.now();
      const only = onlyProjects === undefined ? {} : { onlyProjects };
      response.json(await collector.ingest({ body, project, cluster, receivedAt, ...only }));
    };

  const router = Router();
  if (options.agents !== undefined) {
    const { projectsOf = () => undefined } = options;
    router.use(createHeartbeatInput({ book: new AgentBook(options.agents), projectsOf }));
  }
  for (const [name, collector] of Object.entries(handlers)) {
    router
      .route(`/v1/ingest/${name}`)
      .post(handle(collector))
      .all((request, response) => {
        response.setHeader('Allow', 'POST');
        throw new AppError('METHOD_NOT_ALLOWED', `${request.path} takes POST`);
      });
  }
  return router;
}
