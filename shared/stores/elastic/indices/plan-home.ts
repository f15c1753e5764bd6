import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../../errors/app-error.ts';
import { type IndexPlan, indexPlan } from './plan.ts';
import { COMMIT_MS } from './plan-config.ts';
import { planFault, statusOf } from './plan-fault.ts';

const ID = 'plan';

/** A plan as it was read, with what tells that nobody has changed it since. */
export interface HeldPlan {
  readonly plan: IndexPlan;
  readonly seqNo: number;
  readonly primaryTerm: number;
}

/** The one document that holds the index plan, in an index of its own. */
export class IndexPlanHome {
  readonly #client: Client;
  readonly #index: string;

  /** @param index such as `tollgate-plan` */
  constructor(client: Client, index: string) {
    this.#client = client;
    this.#index = index;
  }

  /** Stores the first plan; when there is one already, that one stands. */
  async create(plan: IndexPlan): Promise<void> {
    try {
      await this.#createIndex();
      await this.#client.create({
        index: this.#index,
        id: ID,
        document: { plan: indexPlan.parse(plan) },
        wait_for_active_shards: 1,
      });
    } catch (error) {
      if (statusOf(error) !== 409) throw planFault(error, `create the plan in ${this.#index}`);
    }
  }

  /** The newest plan: a read by id sees every write that was acknowledged. */
  async read(): Promise<HeldPlan> {
    const answer = await this.#client
      .get<{ plan: unknown }>({ index: this.#index, id: ID, realtime: true })
      .catch((error: unknown) => {
        if (statusOf(error) === 404) throw this.#missing();
        throw planFault(error, `read the plan in ${this.#index}`);
      });
    const { _source, _seq_no, _primary_term } = answer;
    if (_source === undefined || _seq_no === undefined || _primary_term === undefined) {
      throw this.#missing();
    }
    const plan = indexPlan.safeParse(_source.plan);
    if (!plan.success) {
      throw new AppError(
        'STORE_MISCONFIGURED',
        `The index plan in ${this.#index} is not one (${plan.error.issues[0]?.message}); ` +
          'restore the index from a snapshot.',
      );
    }
    return { plan: plan.data, seqNo: _seq_no, primaryTerm: _primary_term };
  }

  /** Whether it was stored; false when another has stored one since `held` was read. */
  async replace(held: HeldPlan, plan: IndexPlan): Promise<boolean> {
    try {
      await this.#client.index(
        {
          index: this.#index,
          id: ID,
          document: { plan },
          if_seq_no: held.seqNo,
          if_primary_term: held.primaryTerm,
          timeout: `${COMMIT_MS / 4}ms`,
        },
        // A second try of one whose answer was lost would find its own write and call it another's.
        { maxRetries: 0, requestTimeout: COMMIT_MS / 2 },
      );
      return true;
    } catch (error) {
      if (statusOf(error) === 409) return false;
      throw planFault(error, `extend the plan in ${this.#index}`);
    }
  }

  async #createIndex(): Promise<void> {
    try {
      await this.#client.indices.create({
        index: this.#index,
        settings: { number_of_shards: 1, auto_expand_replicas: '0-1' },
        mappings: { dynamic: false, properties: { plan: { type: 'object', enabled: false } } },
      });
    } catch (error) {
      if (statusOf(error) !== 400 || !String(error).includes('resource_already_exists')) {
        throw error;
      }
    }
  }

  #missing(): AppError {
    return new AppError(
      'STORE_MISCONFIGURED',
      `There is no index plan in ${this.#index}; run "tollgate stores init".`,
    );
  }
}
