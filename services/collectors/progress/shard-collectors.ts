import { AppError } from '../../../shared/errors/app-error.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import { SHARED_SOURCES } from '../../../shared/stores/scoped-checkpoints.ts';
import { ProgressCollector, type ProgressCollectorDeps } from './progress-collector.ts';
import { QUERY_PREFIX } from './query-book.ts';

/** So many shards share the room of one collector. */
const PARTS = 32;

/**
 * A collector for each shard of shared files: what is known of a shard's queries goes with its files
 * to the next process.
 */
export class ShardCollectors {
  readonly #deps: ProgressCollectorDeps;
  readonly #collectors = new Map<number, ProgressCollector>();

  constructor(deps: ProgressCollectorDeps) {
    this.#deps = deps;
  }

  /** Takes up what was stored of a shard; disposing stores what is queued. */
  async begin(shard: number, fence: Fence): Promise<AsyncDisposable> {
    const { writer, config } = this.#deps;
    const collector = await ProgressCollector.open({
      ...this.#deps,
      config: { ...config, queueBytes: Math.ceil(config.queueBytes / PARTS) },
      writer: {
        declare: (series) => writer.declare(series),
        release: (refs) => writer.release(refs),
        checkpoints: (prefix) => writer.checkpoints(prefix),
        write: (block, checkpoints) => writer.write(block, checkpoints, [fence]),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      queryPrefix: `${SHARED_SOURCES}${QUERY_PREFIX}${shard}:`,
      labels: { shard: String(shard) },
    });
    this.#collectors.set(shard, collector);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#collectors.delete(shard);
        await collector[Symbol.asyncDispose]();
      },
    };
  }

  /** @throws AppError FENCED when the shard is another process's by now */
  of(shard: number): ProgressCollector {
    const collector = this.#collectors.get(shard);
    if (collector !== undefined) return collector;
    throw new AppError('FENCED', `shard ${shard} of the progress files is another process's`);
  }

  /** Looks for silent queries of all shards. */
  async evaluate(): Promise<void> {
    await Promise.all([...this.#collectors.values()].map((one) => one.evaluate()));
  }
}
