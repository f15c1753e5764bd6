import assert from 'node:assert/strict';
import type { z } from 'zod';
import { restProblem } from '../../shared/contracts/rest.ts';

/** An answer that must be a problem, with that status. */
export async function problemOf(
  response: Response,
  status: number,
): Promise<z.infer<typeof restProblem>> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const problem = restProblem.parse(JSON.parse(text));
  assert.equal(problem.status, status);
  assert.doesNotMatch(text, /node_modules|\.ts:\d/, 'a stack trace goes out');
  return problem;
}
