import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { AppError } from '../../../shared/errors/app-error.ts';
import { must } from '../../../shared/errors/assert.ts';
import { type ProjectId, parseProjectId } from '../../../shared/values/project-id.ts';
import { badRequest, checkPart, type FieldError } from './bad-request.ts';
import { type Caller, demandProject, demandScope } from './caller.ts';
import type { Endpoint, EndpointInput } from './endpoint.ts';
import { sendLines } from './send-lines.ts';

const BODY_MAX = '64kb';

/** Names that an endpoint doesn't have are mistakes, not decoration. */
function querySchema(endpoint: Endpoint): z.ZodObject {
  return (endpoint.query ?? z.object({})).strict();
}

function bodySchema(endpoint: Endpoint): z.ZodType | undefined {
  return endpoint.body instanceof z.ZodObject ? endpoint.body.strict() : endpoint.body;
}

/**
 * A content type that a page of another site can send without asking first (text, a form) is
 * refused, which is what keeps such pages from posting through a browser.
 */
function checkContentType(request: Request): void {
  if (request.is('application/json') !== false) return;
  throw new AppError('UNSUPPORTED_MEDIA', 'send the body as Content-Type: application/json');
}

function projectOf(params: Readonly<Record<string, string>>): ProjectId | undefined {
  const text = params['project'];
  if (text === undefined) return undefined;
  const project = parseProjectId(text);
  if (project === undefined) throw new AppError('NOT_FOUND', 'there is no such project');
  return project;
}

/** Who was let in with a request; undefined when nobody has asked. */
type CallerOf = (request: Request) => Caller | undefined;

function handler(endpoint: Endpoint, callerOf: CallerOf): RequestHandler {
  const query = querySchema(endpoint);
  const body = bodySchema(endpoint);
  return async (request: Request, response: Response) => {
    const caller = must(callerOf(request), 'nobody comes here without being asked');
    demandScope(caller, endpoint.scope);
    const params = request.params as Record<string, string>;
    const project = projectOf(params);
    if (project !== undefined) demandProject(caller, project);
    if (body !== undefined) checkContentType(request);
    const errors: FieldError[] = [];
    const input = {
      params,
      project,
      caller,
      query: checkPart('query', query, request.query, errors),
      body: checkPart('body', body, request.body, errors),
    };
    if (errors.length > 0) throw badRequest(errors);
    response.setHeader('Cache-Control', 'no-store');
    const answer = await endpoint.handle(input as unknown as EndpointInput<never, never>);
    response.status(endpoint.status);
    if (endpoint.lines) await sendLines(response, answer as AsyncIterable<object>);
    else response.json(answer);
  };
}

/** `{name}` as RFC 6570 and OpenAPI write it, `:name` as Express does. */
function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** Mounts endpoints, and answers 405 for other methods of their addresses. */
export function mountEndpoints(
  app: Express,
  endpoints: readonly Endpoint[],
  callerOf: CallerOf,
): void {
  const json = express.json({ limit: BODY_MAX, strict: true });
  const methods = new Map<string, string[]>();
  for (const endpoint of endpoints) {
    const path = expressPath(endpoint.path);
    const names = endpoint.method === 'get' ? ['GET', 'HEAD'] : [endpoint.method.toUpperCase()];
    methods.set(path, [...(methods.get(path) ?? []), ...names]);
    if (endpoint.method === 'get') app.get(path, handler(endpoint, callerOf));
    else app[endpoint.method](path, json, handler(endpoint, callerOf));
  }
  for (const [path, allowed] of methods) {
    app.all(path, (request, response) => {
      response.setHeader('Allow', allowed.join(', '));
      throw new AppError('METHOD_NOT_ALLOWED', `${request.path} takes ${allowed.join(', ')}`);
    });
  }
}
