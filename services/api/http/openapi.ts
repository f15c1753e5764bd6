import { z } from 'zod';
import { restProblem } from '../../../shared/contracts/rest.ts';
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

function operation(endpoint: Endpoint): object {
  const problem = {
    description: 'What went wrong',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  const answer = jsonSchema(endpoint.answer, 'output');
  return {
    summary: endpoint.summary,
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
        description: 'The answer',
        content: { 'application/json': { schema: answer } },
      },
      default: problem,
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
  return {
    openapi: '3.1.0',
    info: { title: 'Tollgate', version },
    paths,
    components: { schemas: { Problem: jsonSchema(restProblem, 'output') } },
  };
}
