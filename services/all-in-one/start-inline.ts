import { must } from '../../shared/errors/assert.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { TollgateConfig } from './config.ts';
import { openPart } from './open-part.ts';
import type { PartData, PartName, RunningPart } from './part.ts';

/** Opens a part in the caller's own thread, where it shares one heap and one copy of every library. */
export async function startInline(
  name: PartName,
  data: PartData<TollgateConfig>,
): Promise<RunningPart> {
  const metrics = new Metrics();
  const part = await openPart(name, data, metrics);
  return {
    name,
    rpc: {
      async call<T>(method: string, args: readonly unknown[]) {
        const handler = must(part.handlers[method], `the ${name} part offers ${method}`);
        return (await handler(...(args as never[]))) as T;
      },
    },
    metrics: async () => metrics.snapshot(),
    [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
  };
}
