import { setTimeout as wait } from 'node:timers/promises';

/** Asks until it holds; the error says what was seen last. */
export async function until<T>(
  ask: () => Promise<T> | T,
  done: (answer: T) => boolean,
  withinMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (done(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`not so within ${withinMs} ms: ${JSON.stringify(answer)}`);
    }
    await wait(100);
  }
}
