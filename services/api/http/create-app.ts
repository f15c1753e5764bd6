import { join } from 'node:path';
import express, { type Express, type Router } from 'express';
import helmet from 'helmet';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { ApiDeps } from '../api-deps.ts';
import { applicationEndpoints } from '../routes/applications.ts';
import { chargeEndpoints } from '../routes/charges.ts';
import { clusterEndpoints } from '../routes/clusters.ts';
import { logEndpoints } from '../routes/logs.ts';
import { metricEndpoints } from '../routes/metrics.ts';
import { priceEndpoints } from '../routes/prices.ts';
import { projectEndpoints } from '../routes/projects.ts';
import { quarantineEndpoints } from '../routes/quarantine.ts';
import { quotaCheckEndpoints, quotaCheckHandler } from '../routes/quota-checks.ts';
import { statusEndpoints } from '../routes/status.ts';
import { streamingQueryEndpoints } from '../routes/streaming-queries.ts';
import type { Endpoint } from './endpoint.ts';
import { mountEndpoints } from './mount-endpoint.ts';
import { openapiOf } from './openapi.ts';
import { problemHandler } from './problem.ts';

/** What stands beside the endpoints. */
export interface AppParts {
  readonly logger: Logger;
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
}

export function allEndpoints(deps: ApiDeps): Endpoint[] {
  return [
    ...statusEndpoints(deps),
    ...projectEndpoints(deps),
    ...applicationEndpoints(deps),
    ...chargeEndpoints(deps),
    ...logEndpoints(deps),
    ...streamingQueryEndpoints(deps),
    ...metricEndpoints(deps),
    ...clusterEndpoints(deps),
    ...priceEndpoints(deps),
    ...quotaCheckEndpoints(deps),
    ...quarantineEndpoints(deps),
  ];
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
  app.get('/metrics', async (_request, response) => {
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
  app.use(
    express.static(webRoot, {
      index: 'index.html',
      dotfiles: 'ignore',
      setHeaders: (response) => response.setHeader('Cache-Control', 'no-cache'),
    }),
  );
}

/** The whole HTTP surface: quota check first, then pages, then the API, then problems. */
export function createApp(deps: ApiDeps, parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.post('/v1/quota-checks', quotaCheckHandler(deps));
  mountHealth(app, parts);
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          // uPlot and Preact set inline styles on their elements; scripts are files only.
          styleSrc: ["'self'", "'unsafe-inline'"],
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
  if (parts.ingest !== undefined) app.use(parts.ingest);
  const endpoints = allEndpoints(deps);
  app.get('/v1/openapi.json', (_request, response) => {
    response.json(openapiOf(endpoints, deps.version));
  });
  mountEndpoints(app, endpoints);
  mountPage(app, parts);
  app.use((request) => {
    throw new AppError('NOT_FOUND', `there is nothing at ${join('/', request.path)}`);
  });
  app.use(problemHandler(parts.logger));
  return app;
}
