import { z } from 'zod';
import { agentHeartbeat, agentOrders } from '../../../shared/contracts/agent.ts';
import {
  restIngest,
  restProblem,
  restSession,
  restSignIn,
} from '../../../shared/contracts/rest.ts';
import type { TokenScope } from '../../../shared/stores/token-store.ts';
import type { Endpoint } from './endpoint.ts';

/** OpenAPI 3.1 is JSON Schema 2020-12, which zod prints itself. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function parameters(endpoint: Endpoint): object[] {
  const inPath = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const shape = endpoint.query?.shape ?? {};
  const inQuery = Object.entries(shape).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !schema.safeParse(undefined).success,
    description: (schema as z.ZodType).meta()?.description ?? '',
    schema: jsonSchema(schema as z.ZodType, 'input'),
  }));
  return [...inPath, ...inQuery];
}

const PROBLEM_ANSWER = {
  description: 'What went wrong; the codes are in services/api/README.md',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** One of the two ways to bring a token, and what it must allow. */
function security(scope?: TokenScope): object {
  return {
    security: [{ token: [] }, { session: [] }],
    ...(scope === undefined ? {} : { 'x-tollgate-scope': scope }),
  };
}

const SECURITY_SCHEMES = {
  token: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'tg_<id>_<secret>',
    description:
      'Made by `tollgate token create`. Not asked for on a loopback address until the first one is made.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-tollgate',
    description: 'Set by POST /v1/session; `tollgate` where the listener has no TLS.',
  },
};

function operation(endpoint: Endpoint): object {
  const answer = jsonSchema(endpoint.answer, 'output');
  return {
    summary: endpoint.summary,
    ...security(endpoint.scope),
    parameters: parameters(endpoint),
    ...(endpoint.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(endpoint.body, 'input') } },
          },
        }),
    responses: {
      [String(endpoint.status)]: {
        description: endpoint.lines ? 'One object a line, as they come' : 'The answer',
        content: {
          [endpoint.lines ? 'application/x-ndjson' : 'application/json']: { schema: answer },
        },
      },
      default: PROBLEM_ANSWER,
    },
  };
}

const PUSHED = ['logs', 'progress', 'metrics', 'containers'];

/** What the collectors take; a service of their own serves it. */
function ingestOperation(collector: string): object {
  const header = (name: string, description: string): object => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  });
  return {
    summary: `Takes ${collector}, one JSON object a line; 2xx after they are stored`,
    ...security('ingest'),
    parameters: [
      header('Tollgate-Project', 'Project of records that name none'),
      header('Tollgate-Cluster', 'Cluster of records that name none'),
      header('Content-Encoding', 'gzip, zstd or none'),
    ],
    requestBody: {
      required: true,
      content: { 'application/x-ndjson': { schema: { type: 'string' } } },
    },
    responses: {
      200: {
        description: 'What became of the lines; those that are stored are not listed',
        content: { 'application/json': { schema: jsonSchema(restIngest, 'output') } },
      },
      default: PROBLEM_ANSWER,
    },
  };
}

/** What a driver's agent sends; its collector serves it. */
function heartbeatOperation(): object {
  const json = (schema: z.ZodType, io: 'input' | 'output'): object => ({
    content: { 'application/json': { schema: jsonSchema(schema, io) } },
  });
  return {
    summary: 'The agent of a driver is alive, and hears what it should do',
    ...security('ingest'),
    parameters: [
      {
        name: 'Tollgate-Cluster',
        in: 'header',
        description: 'Cluster that the application runs on',
        schema: { type: 'string' },
      },
    ],
    requestBody: { required: true, ...json(agentHeartbeat, 'input') },
    responses: {
      200: {
        description: 'Orders, each until the agent speaks of it',
        ...json(agentOrders, 'output'),
      },
      default: PROBLEM_ANSWER,
    },
  };
}

function sessionOperations(): Record<string, object> {
  const session = {
    description: 'Who is signed in',
    content: { 'application/json': { schema: jsonSchema(restSession, 'output') } },
  };
  return {
    get: {
      summary: 'Who asks, and what the token allows',
      ...security(),
      responses: { 200: session, default: PROBLEM_ANSWER },
    },
    post: {
      summary: 'Keeps a token, or that of the one-time admin link, in a cookie for the page',
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(restSignIn, 'input') } },
      },
      responses: { 200: session, default: PROBLEM_ANSWER },
    },
    delete: {
      summary: 'Forgets the cookie',
      responses: { 204: { description: 'It is forgotten' }, default: PROBLEM_ANSWER },
    },
  };
}

/** The description of these endpoints; the same bytes for the same endpoints. */
export function openapiOf(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const path = paths[endpoint.path] ?? {};
    paths[endpoint.path] = path;
    path[endpoint.method] = operation(endpoint);
  }
  for (const collector of PUSHED) {
    paths[`/v1/ingest/${collector}`] = { post: ingestOperation(collector) };
  }
  paths['/v1/ingest/heartbeats'] = { post: heartbeatOperation() };
  paths['/v1/session'] = sessionOperations();
  return {
    openapi: '3.1.0',
    info: { title: 'Tollgate', version },
    paths,
    components: {
      schemas: { Problem: jsonSchema(restProblem, 'output') },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}
