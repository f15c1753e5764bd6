import type { Random } from '../platform/random.ts';
import type { SimEvent } from '../platform/sim-event.ts';
import { progressJson } from './progress-json.ts';

const MAX_WAITING = 5_000;

/**
 * Posts progress as a listener with retry does: some records late, some twice, none lost while the
 * collector is away for less than MAX_WAITING records.
 */
export class ProgressOutput {
  readonly #url: string;
  readonly #random: Random;
  readonly #waiting = new Map<string, string[]>();

  constructor(url: string, random: Random) {
    this.#url = url;
    this.#random = random;
  }

  async write(events: readonly SimEvent[], signal: AbortSignal): Promise<void> {
    for (const event of events) {
      if (event.kind !== 'progress') continue;
      const line = JSON.stringify(progressJson(event.app, event.at, event.progress));
      const lines = this.#lines(event.app.workload.cluster);
      lines.push(line);
      if (this.#random.chance(0.02)) lines.push(line);
      if (lines.length > MAX_WAITING) lines.splice(0, lines.length - MAX_WAITING);
    }
    for (const [cluster, lines] of this.#waiting) {
      // One in twenty waits for the next step and comes late.
      if (lines.length === 0 || this.#random.chance(0.05)) continue;
      await this.#post(cluster, lines, signal);
    }
  }

  #lines(cluster: string): string[] {
    const lines = this.#waiting.get(cluster) ?? [];
    this.#waiting.set(cluster, lines);
    return lines;
  }

  async #post(cluster: string, lines: string[], signal: AbortSignal): Promise<void> {
    const sent = lines.length;
    const response = await fetch(`${this.#url}/v1/ingest/progress`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'tollgate-cluster': cluster },
      body: `${lines.join('\n')}\n`,
      signal,
    });
    await response.arrayBuffer();
    if (response.ok) lines.splice(0, sent);
  }
}
