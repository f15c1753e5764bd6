import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { AppError } from '../../../shared/errors/app-error.ts';
import { toProblem } from './problem.ts';

/**
 * Sends objects as they come, one JSON line each. What fails before the first line is thrown, to be
 * answered as any problem; after it, a last line tells the problem. A client that goes away ends the
 * iteration.
 */
export async function sendLines(
  response: ServerResponse,
  lines: AsyncIterable<object>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const iterator = lines[Symbol.asyncIterator]();
  try {
    let step = await iterator.next();
    response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
    while (!step.done && !gone.signal.aborted) {
      const isRoom = response.write(`${JSON.stringify(step.value)}\n`);
      if (!isRoom) await once(response, 'drain', { signal: gone.signal });
      step = await iterator.next();
    }
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    if (!response.headersSent || !(error instanceof AppError)) throw error;
    response.end(`${JSON.stringify({ type: 'problem', ...withoutType(toProblem(error)) })}\n`);
  } finally {
    await iterator.return?.();
  }
}

function withoutType({ type: _urn, ...rest }: ReturnType<typeof toProblem>): object {
  return rest;
}
