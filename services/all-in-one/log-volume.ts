import type { LogReader } from '../../shared/stores/log-store.ts';

/** How much of each project is in the log store, which is opened when it is first asked. */
export class LogVolume implements AsyncDisposable {
  readonly #open: () => Promise<LogReader>;
  #opening: Promise<LogReader> | undefined;

  constructor(open: () => Promise<LogReader>) {
    this.#open = open;
  }

  async volume(...args: Parameters<LogReader['volume']>): ReturnType<LogReader['volume']> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      // A store that was away may be there when it is asked again.
      this.#opening = undefined;
      throw error;
    });
    return (await this.#opening).volume(...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
