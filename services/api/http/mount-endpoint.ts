import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { AppError } from '../../../shared/errors/app-error.ts';
import { type ProjectId, parseProjectId } from '../../../shared/values/project-id.ts';
import type { Endpoint, EndpointInput } from './endpoint.ts';

const BODY_MAX = '64kb';

/** Names of query parameters that an endpoint doesn't have are mistakes, not decoration. */
function parseQuery(endpoint: Endpoint, request: Request): unknown {
  const schema = endpoint.query ?? z.object({});
  return schema.strict().parse(request.query);
}

function projectOf(params: Readonly<Record<string, string>>): ProjectId | undefined {
  const text = params['project'];
  if (text === undefined) return undefined;
  const project = parseProjectId(text);
  if (project === undefined) throw new AppError('NOT_FOUND', 'there is no such project');
  return project;
}

function handler(endpoint: Endpoint): RequestHandler {
  return async (request: Request, response: Response) => {
    const params = request.params as Record<string, string>;
    const input = {
      params,
      project: projectOf(params),
      query: parseQuery(endpoint, request),
      body: endpoint.body?.parse(request.body),
    };
    const answer = await endpoint.handle(input as unknown as EndpointInput<never, never>);
    response.status(endpoint.status).json(answer);
  };
}

/** `{name}` as RFC 6570 and OpenAPI write it, `:name` as Express does. */
function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** Mounts endpoints, and answers 405 for other methods of their addresses. */
export function mountEndpoints(app: Express, endpoints: readonly Endpoint[]): void {
  const json = express.json({ limit: BODY_MAX, strict: true });
  const methods = new Map<string, string[]>();
  for (const endpoint of endpoints) {
    const path = expressPath(endpoint.path);
    methods.set(path, [...(methods.get(path) ?? []), endpoint.method.toUpperCase()]);
    if (endpoint.method === 'get') app.get(path, handler(endpoint));
    else app.post(path, json, handler(endpoint));
  }
  for (const [path, allowed] of methods) {
    app.all(path, (request, response) => {
      response.setHeader('Allow', allowed.join(', '));
      throw new AppError('METHOD_NOT_ALLOWED', `${request.path} takes ${allowed.join(', ')}`);
    });
  }
}
