import { connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { SimEvent } from '../platform/sim-event.ts';
import { graphiteLines } from './graphite-lines.ts';

/** Sends reports as GraphiteSink does: a new connection for each, then closed. */
export class GraphiteOutput {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** One connection for all reports of a step; waits until the collector has taken them. */
  async write(events: readonly SimEvent[], signal: AbortSignal): Promise<void> {
    const reports = events.flatMap((event) =>
      event.kind === 'metrics'
        ? event.executors.map((executor) => graphiteLines(event, executor))
        : [],
    );
    if (reports.length === 0) return;
    const socket = connect({ host: '127.0.0.1', port: this.#port });
    // A reset after the last byte comes when the pipeline, which tells of others, has ended.
    socket.on('error', () => {});
    await pipeline(reports, socket, { signal });
  }
}
