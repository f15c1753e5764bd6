import type { ApplicationFact } from '../../../shared/contracts/container-fact.ts';
import type { ContainerRecord } from '../../../shared/stores/journal.ts';
import type {
  ApplicationState,
  Restatement,
  SettledApplication,
} from '../../../shared/stores/ledger-writer.ts';
import type { Instant } from '../../../shared/values/instant.ts';

export type ContainerRef = { readonly cluster: string; readonly container: string };

/** A container to look at. */
export interface Work extends ContainerRef {
  readonly record: ContainerRecord;
  readonly applicationRef: { readonly cluster: string; readonly application: string };
  /** Charges before it stand, since no fact is new. */
  readonly from: Instant;
}

/** An application that a settlement touches. */
export interface ApplicationWork {
  /** Settled here: its shard's, or not settled by anybody before. */
  readonly own: boolean;
  readonly before: SettledApplication | undefined;
  readonly state: ApplicationState;
  readonly facts: readonly ApplicationFact[];
  readonly restatement: Restatement | undefined;
}
