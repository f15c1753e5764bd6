import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import { HeldShards } from '../../../shared/stores/held-shards.ts';
import type { Fence, LeaseStore } from '../../../shared/stores/lease.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { StreamClaims, type StreamClaimsOptions } from './stream-claims.ts';

/** Where collectors divide files among themselves, beside the checkpoints that they share. */
export interface FileLeases {
  readonly store: LeaseStore;
  /** Unique to this process's life. */
  readonly holder: string;
}

export interface SharedFilesOptions {
  /** Undefined where no other process could use the stores. */
  readonly leases: FileLeases | undefined;
  /** Its leases are `files/<collector>/shard-3`. */
  readonly collector: 'logs' | 'progress';
  /** Where its records go, as the configuration calls it. */
  readonly store: 'logs' | 'metrics';
  readonly ttlMs: number;
  /** Work of a shard beside its files: begun before they are read, disposed of when they are left. */
  readonly begin?: (shard: number, fence: Fence) => Promise<AsyncDisposable>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

type Options = SharedFilesOptions & { readonly leases: FileLeases };

/** More processes than these share no files; enough that shares of fewer are nearly even. */
const SHARDS = 32;
const ASKS_A_LEASE = 6;
const RECHECK_MS = 500;

/**
 * For a collector with sources that say `shared`, else undefined.
 *
 * @throws AppError CONFIG_INVALID when no other process could share them
 */
export function openSharedFiles(
  sources: readonly { readonly shared: boolean }[],
  options: SharedFilesOptions,
): SharedFiles | undefined {
  const first = sources.findIndex(({ shared }) => shared);
  if (first === -1) return undefined;
  const { leases, collector, store } = options;
  if (leases === undefined) {
    throw new AppError(
      'CONFIG_INVALID',
      `${collector}.files[${first}].shared: collectors can only share files when they share ` +
        `stores.ledger and stores.${store}, and one of these is in the data folder (sqlite:); ` +
        'give both the URL of a server, or set shared to false and let one collector read the files',
    );
  }
  return new SharedFiles({ ...options, leases });
}

/** This process's share of a collector's shared files; asks for it until it is disposed of. */
class SharedFiles implements AsyncDisposable {
  readonly #options: Options;
  readonly #shards: HeldShards;
  readonly #claims = new Set<StreamClaims>();
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  readonly #held: (labels: Record<string, string>, value: number) => void;
  #fences: ReadonlyMap<number, Fence> = new Map();
  #turn: Promise<void> = Promise.resolve();
  readonly #work = new Map<number, { readonly token: bigint; readonly work: AsyncDisposable }>();

  constructor(options: Options) {
    this.#options = options;
    const { leases, collector, ttlMs, clock, metrics } = options;
    this.#shards = new HeldShards({
      ...leases,
      name: `files/${collector}`,
      shards: SHARDS,
      ttlMs,
      clock,
      onRelease: (shard) => this.#release(shard),
    });
    this.#held = metrics.gauge('tollgate_shared_file_shards', 'Of 32, followed by this process.');
    this.#loop = this.#run();
  }

  /** A source's part; dispose it when the source ends. */
  claims(options: Omit<StreamClaimsOptions, 'shards' | 'onEnd'>): StreamClaims {
    const onEnd = (): boolean => this.#claims.delete(claims);
    const claims: StreamClaims = new StreamClaims({ ...options, shards: SHARDS, onEnd });
    this.#claims.add(claims);
    claims.assign(this.#fences);
    return claims;
  }

  /** Asks soon what is held, since a refused write told that something was lost. */
  async recheck(): Promise<void> {
    const { clock } = this.#options;
    await clock.sleep(RECHECK_MS, this.#stop.signal);
    this.#shards.recheck();
    await this.#ask();
  }

  /** The sources must have ended. The next processes needn't wait for the leases' end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#turn;
    await this.#orWarn(() => this.#shards[Symbol.asyncDispose]());
    await Promise.all([...this.#work.keys()].map((shard) => this.#endWork(shard)));
  }

  async #run(): Promise<void> {
    const { clock, ttlMs } = this.#options;
    while (!this.#stop.signal.aborted) {
      await this.#ask();
      await clock.sleep(ttlMs / ASKS_A_LEASE, this.#stop.signal);
    }
  }

  /** One at a time. */
  #ask(): Promise<void> {
    this.#turn = this.#turn.then(() =>
      this.#orWarn(async () => {
        this.#fences = new Map(await this.#shards.fences());
        await this.#beginWork();
        for (const claims of this.#claims) claims.assign(this.#fences);
        this.#held({ collector: this.#options.collector }, this.#fences.size);
      }),
    );
    return this.#turn;
  }

  async #release(shard: number): Promise<void> {
    const { clock, ttlMs } = this.#options;
    const over = new AbortController();
    // The other leases are renewed after this, so that it must not take their whole time.
    const late = clock.sleep(ttlMs / 3, over.signal).then(() => {
      if (over.signal.aborted) return;
      throw new AppError('STORE_UNAVAILABLE', `shard ${shard} of the files is not stored yet`);
    });
    const released = Promise.all([...this.#claims].map((claims) => claims.release(shard))).then(
      () => this.#endWork(shard),
    );
    try {
      await Promise.race([released, late]);
    } finally {
      over.abort();
    }
  }

  async #beginWork(): Promise<void> {
    const { begin } = this.#options;
    if (begin === undefined) return;
    for (const [shard, { token }] of this.#work) {
      if (this.#fences.get(shard)?.token !== token) await this.#endWork(shard);
    }
    for (const [shard, fence] of this.#fences) {
      if (this.#work.has(shard)) continue;
      this.#work.set(shard, { token: fence.token, work: await begin(shard, fence) });
    }
  }

  async #endWork(shard: number): Promise<void> {
    const begun = this.#work.get(shard);
    this.#work.delete(shard);
    await begun?.work[Symbol.asyncDispose]();
  }

  async #orWarn(work: () => Promise<void>): Promise<void> {
    const { collector, logger } = this.#options;
    try {
      await work();
    } catch (error) {
      logger.warn({ collector, err: error }, 'shared files could not be divided anew');
    }
  }
}
