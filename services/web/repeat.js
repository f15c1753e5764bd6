/**
 * Runs a task again and again, one run at a time: at once, then after each wait. Hidden pages
 * don't ask; a page that is looked at again does so at once.
 * @param {(signal: AbortSignal) => Promise<void>} task never rejects
 * @param {() => number} waitMs
 * @returns {{ now(): void }} `now` drops what is under way and starts over
 */
export function repeat(task, waitMs) {
  let turn = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const run = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    const { signal } = turn;
    await task(signal);
    if (!signal.aborted) timer = setTimeout(() => void run(), waitMs());
  };
  const now = () => {
    turn.abort();
    turn = new AbortController();
    void run();
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) now();
  });
  now();
  return { now };
}
