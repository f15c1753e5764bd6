import { AppError } from '../../shared/errors/app-error.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { RunningPart } from './part.ts';

/** A part that starts with its first call, since many processes never need it. */
export function partOnDemand(name: string, start: () => Promise<RunningPart>): RunningPart {
  let starting: Promise<RunningPart> | undefined;
  let closed = false;
  const started = (): Promise<RunningPart> => {
    if (closed) throw new AppError('STORE_UNAVAILABLE', `the ${name} part is stopping`);
    starting ??= start().catch((error: unknown) => {
      // A store that was away may be there for the next call.
      starting = undefined;
      throw error;
    });
    return starting;
  };
  /** Undefined where it isn't running; whoever called a part that didn't start was told. */
  const running = (): Promise<RunningPart | undefined> =>
    starting?.catch(() => undefined) ?? Promise.resolve(undefined);
  return {
    name,
    rpc: {
      async call(method, args, transfer) {
        return await (await started()).rpc.call(method, args, transfer);
      },
    },
    metrics: async () => (await (await running())?.metrics()) ?? new Metrics().snapshot(),
    async [Symbol.asyncDispose]() {
      closed = true;
      await (await running())?.[Symbol.asyncDispose]();
    },
  };
}
