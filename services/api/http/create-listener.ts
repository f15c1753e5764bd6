import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Router,
} from 'express';
import helmet from 'helmet';
import { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { ApiDeps, OperationDeps } from '../api-deps.ts';
import type { quotaCheckHandler } from '../routes/quota-checks.ts';
import { hostGuard } from './allowed-host.ts';
import { type Caller, demandAllProjects, demandScope } from './caller.ts';
import type { Doors } from './doors.ts';
import type { Endpoint } from './endpoint.ts';
import { mountEndpoints } from './mount-endpoint.ts';
import { mountExtend } from './mount-extend.ts';
import { mountSession, mountSignIn, sessionCookie } from './mount-session.ts';
import { openapiOf } from './openapi.ts';
import { problemSender } from './problem.ts';

/** What is served beside health and the page. */
export interface ServedRoutes {
  readonly endpoints: readonly Endpoint[];
  /** Makes the handler of quota checks; undefined where the process has no ledger to ask. */
  readonly quotaCheck:
    | ((count: (reason: string) => void) => ReturnType<typeof quotaCheckHandler>)
    | undefined;
}

/** What stands beside the endpoints. */
export interface AppParts {
  readonly logger: Logger;
  /** Who may come in. */
  readonly doors: Doors;
  /** Folder of the page. */
  readonly webRoot: string;
  /** ES modules that the page imports: name below `/modules/` to file. */
  readonly moduleFiles: Readonly<Record<string, string>>;
  /** The collectors' `POST /v1/ingest/…`; a service of its own elsewhere, mounted here. */
  readonly ingest: Router | undefined;
  /** Why it isn't ready; empty when it is. */
  readonly notReady: () => readonly string[];
  /** Prometheus text of the whole process. */
  readonly printMetrics: () => Promise<string>;
  /** Where requests are counted. */
  readonly metrics?: Metrics;
  /** Address that is bound; startApi fills it in. */
  readonly host?: string;
  /** Names besides the loopback ones under which a loopback address may be called. */
  readonly hostNames?: readonly string[];
  /** How long browsers keep to https, in s; 0 for not at all. */
  readonly hstsMaxAgeSeconds?: number;
}

/** What the page's folder holds beside what a browser needs. */
const NOT_FOR_BROWSERS = /\.(ts|md)$|\.test\.js$|(^|\/)(tsconfig[^/]*|package[^/]*)$/;

/** Requests by route, so that neither ids nor made-up addresses become labels. */
function countRequests(metrics: Metrics): RequestHandler {
  const count = metrics.counter('tollgate_http_requests_total', 'Requests by route and status.');
  return (request, response, next) => {
    response.once('finish', () => {
      const known: unknown = request.route?.path;
      const route = typeof known === 'string' ? known : 'other';
      count({ method: request.method, route, status: String(response.statusCode) });
    });
    next();
  };
}

function mountHealth(app: Express, parts: AppParts): void {
  app.get('/livez', (_request, response) => {
    response.type('text').send('ok\n');
  });
  app.get('/readyz', (_request, response) => {
    const reasons = parts.notReady();
    response
      .status(reasons.length === 0 ? 200 : 503)
      .type('text')
      .send(reasons.length === 0 ? 'ok\n' : `${reasons.join('\n')}\n`);
  });
  app.get('/metrics', async (request, response) => {
    if (!parts.doors.isLocal) {
      const caller = await parts.doors.admit(request);
      demandScope(caller, 'read');
      demandAllProjects(caller);
    }
    response.type('text/plain; version=0.0.4').send(await parts.printMetrics());
  });
}

function mountPage(app: Express, { webRoot, moduleFiles }: AppParts): void {
  app.get('/modules/:name', (request, response, next) => {
    const { name } = request.params;
    const file = Object.hasOwn(moduleFiles, name) ? moduleFiles[name] : undefined;
    if (file === undefined) next();
    else response.sendFile(file, { dotfiles: 'allow' });
  });
  const files = express.static(webRoot, {
    index: 'index.html',
    dotfiles: 'ignore',
    redirect: false,
    setHeaders: (response) => response.setHeader('Cache-Control', 'no-cache'),
  });
  app.use((request, response, next) => {
    if (NOT_FOR_BROWSERS.test(request.path)) next();
    else files(request, response, next);
  });
}

/**
 * Asks everything below /v1 for its token, as the router itself understands the address: a look at
 * the text of it could be got around by other spellings.
 */
function mountDoors(app: Express, { doors }: AppParts): void {
  app.use('/v1', async (request, _response, next) => {
    await doors.admit(request);
    next();
  });
  app.use('/v1/ingest', (request, _response, next) => {
    demandScope(must(doors.callerOf(request), 'who comes this far was let in'), 'ingest');
    next();
  });
}

/** Everything but the quota check: pages, API, problems. */
function createApp(
  deps: ApiDeps | OperationDeps,
  parts: AppParts,
  endpoints: readonly Endpoint[],
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  if (parts.metrics !== undefined) app.use(countRequests(parts.metrics));
  mountHealth(app, parts);
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          // uPlot and Preact set styles through the CSSOM, which is no inline style.
          styleSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          objectSrc: ["'none'"],
          frameAncestors: ["'none'"],
          baseUri: ["'none'"],
          formAction: ["'self'"],
        },
      },
      strictTransportSecurity: false,
    }),
  );
  mountSignIn(app, parts.doors);
  if ('ledger' in deps) mountExtend(app, deps);
  mountDoors(app, parts);
  mountSession(app, parts.doors);
  if (parts.ingest !== undefined) app.use(parts.ingest);
  app.get('/v1/openapi.json', (_request, response) => {
    response.json(openapiOf(endpoints, deps.version));
  });
  mountEndpoints(app, endpoints, (request) => parts.doors.callerOf(request));
  if ('ledger' in deps) mountPage(app, parts);
  app.use((request) => {
    throw new AppError('NOT_FOUND', `there is nothing at ${request.path.slice(0, 200)}`);
  });
  const send = failureSender(parts);
  const problems: ErrorRequestHandler = (error, request, response, _next) => {
    send(error, request, response);
  };
  app.use(problems);
  return app;
}

/** A cookie that is no longer good is taken back, or the page would bring it again and again. */
function failureSender({ logger, doors }: AppParts) {
  const send = problemSender(logger);
  return (error: unknown, request: IncomingMessage, response: ServerResponse): void => {
    if (error instanceof AppError && error.details['presented'] === 'cookie') {
      if (!response.headersSent) response.setHeader('Set-Cookie', sessionCookie(doors, '', 0));
    }
    send(error, request, response);
  };
}

/** Subdomains are left out: they aren't Tollgate's. */
function hstsHeader({ doors, hstsMaxAgeSeconds = 0 }: AppParts): string | undefined {
  return doors.isSecure && hstsMaxAgeSeconds > 0 ? `max-age=${hstsMaxAgeSeconds}` : undefined;
}

/** Quota checks beside Express. */
function quotaDoor(
  checkerOf: NonNullable<ServedRoutes['quotaCheck']>,
  parts: AppParts,
): RequestListener {
  const { doors, metrics = new Metrics() } = parts;
  const send = failureSender(parts);
  const counter = metrics.counter('tollgate_quota_checks_total', 'Quota checks by reason.');
  const quotaCheck = checkerOf((reason) => counter({ reason }));
  return (request, response) => {
    const fail = (error: unknown): void => send(error, request, response);
    const check = (caller: Caller): void => {
      demandScope(caller, 'quota-check');
      quotaCheck({ request, response, caller, fail });
    };
    try {
      const caller = doors.admit(request);
      if (caller instanceof Promise) caller.then(check).catch(fail);
      else check(caller);
    } catch (error) {
      fail(error);
    }
  };
}

/** The whole HTTP surface: who may call, then quota checks, then Express with the rest. */
export function createListener(
  deps: ApiDeps | OperationDeps,
  parts: AppParts,
  { endpoints, quotaCheck }: ServedRoutes,
): RequestListener {
  const { host = '127.0.0.1', hostNames = [] } = parts;
  const refusal = hostGuard({ host, hostNames });
  const send = failureSender(parts);
  const keepToHttps = hstsHeader(parts);
  const askQuota = quotaCheck && quotaDoor(quotaCheck, parts);
  const app = createApp(deps, parts, endpoints);
  return (request, response) => {
    if (keepToHttps !== undefined) response.setHeader('Strict-Transport-Security', keepToHttps);
    const reason = refusal(request.method, request.headers);
    if (reason !== undefined) {
      send(new AppError('FORBIDDEN', reason), request, response);
      return;
    }
    const isCheck = request.url === '/v1/quota-checks' && request.method === 'POST';
    if (isCheck && askQuota !== undefined) askQuota(request, response);
    else app(request, response);
  };
}
