// A log collector with a store of its own: `node log-collector-child.ts <data> <input> <events>`.
// Begins at its parent's message, and tells what it took until all events were stored.
import { once } from 'node:events';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { LogWriter } from '../../shared/stores/log-store.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { collectLogs } from '../bench/support/catch-up.ts';

const [data = '', input = '', events = ''] = process.argv.slice(2);
const store = await openLogWriter({ folder: data, clock: systemClock });
const all = Promise.withResolvers<void>();
let stored = 0;
const writer: LogWriter = {
  checkpoints: (prefix) => store.checkpoints(prefix),
  async write(batch) {
    const result = await store.write(batch);
    stored += result.stored;
    if (stored >= Number(events)) all.resolve();
    return result;
  },
  [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
};
process.send?.('ready');
await once(process, 'message');
const start = systemClock.elapsed();
const before = process.cpuUsage();
const collector = await collectLogs(input, writer);
await all.promise;
const { user, system } = process.cpuUsage(before);
process.send?.({ ms: systemClock.elapsed() - start, cpuMs: (user + system) / 1_000, stored });
await collector[Symbol.asyncDispose]();
await writer[Symbol.asyncDispose]();
process.disconnect?.();
