import assert from 'node:assert/strict';
import type { z } from 'zod';
import type { ApiDeps, AppParts } from '../../services/api/start.ts';
import { restProblem } from '../../shared/contracts/rest.ts';
import { type RunningApi, runningApi } from './running-api.ts';

type Problem = z.infer<typeof restProblem>;

/** A running API with two pools, and with what a test says to it in one word. */
export interface AskingApi extends RunningApi {
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Text is sent as it is. */
  post(path: string, body: unknown): Promise<Response>;
  /** A POST that goes well, its answer held to the schema to the last key. */
  postOk<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>>;
  /** A refusal, which must be problem+json with the status that it tells. */
  problem(asked: Response | Promise<Response>): Promise<Problem>;
}

async function problem(asked: Response | Promise<Response>): Promise<Problem> {
  const response = await asked;
  assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const text = await response.text();
  assert.doesNotMatch(text, /node_modules|\.ts:\d/, 'a stack trace goes out');
  const body = restProblem.parse(JSON.parse(text));
  assert.equal(body.status, response.status);
  return body;
}

export async function askingApi(
  options: { readonly deps?: Partial<ApiDeps>; readonly parts?: Partial<AppParts> } = {},
): Promise<AskingApi> {
  const api = await runningApi({ ...options, deps: { pools: ['main', 'spot'], ...options.deps } });
  const ask = (path: string, init: RequestInit = {}) => fetch(`${api.url}${path}`, init);
  const post = (path: string, body: unknown) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    ...api,
    ask,
    post,
    problem,
    async postOk(path, body, schema) {
      const response = await post(path, body);
      const answer: unknown = await response.json();
      assert.ok(response.ok, `${response.status} ${JSON.stringify(answer)}`);
      const parsed = schema.parse(answer);
      assert.deepEqual(answer, parsed, 'the answer has members that its schema lacks');
      return parsed;
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
