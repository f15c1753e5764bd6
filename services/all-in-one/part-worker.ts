import { parentPort, workerData } from 'node:worker_threads';
import { must } from '../../shared/errors/assert.ts';
import { type Handlers, serveRpc } from '../../shared/runtime/worker-rpc.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { openPart } from './open-part.ts';
import type { Part } from './part.ts';
import type { PartThreadData } from './start-thread.ts';

/** The entry of every thread: serves `start`, `stop`, `metrics` and what its part offers. */
const { name, data } = workerData as PartThreadData;
const metrics = new Metrics();
let part: Part | undefined;
const handlers: Record<string, Handlers[string]> = {
  async start() {
    part = await openPart(name, data, metrics);
    for (const [method, handler] of Object.entries(part.handlers)) handlers[method] = handler;
  },
  async stop() {
    await part?.[Symbol.asyncDispose]();
  },
  async metrics() {
    return metrics.snapshot();
  },
};
serveRpc(must(parentPort, 'a worker entry runs in a worker'), handlers);
