import type {
  ApplicationActivity,
  ApplicationFact,
  ContainerFact,
  Evidence,
  JournalFact,
  LoadFact,
  NodeFact,
} from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import type { Checkpoint, CheckpointReader } from './checkpoint.ts';

export interface JournalBatch {
  readonly facts: readonly JournalFact[];
  readonly evidence: readonly Evidence[];
  readonly activity: readonly ApplicationActivity[];
  readonly checkpoints: readonly Checkpoint[];
}

export interface JournalWriteResult {
  readonly stored: number;
  /** Facts that were there already, with the same body. */
  readonly duplicates: number;
  /** Facts whose id is taken by another body: the first one stands, the caller quarantines these. */
  readonly conflicts: readonly JournalFact[];
}

/** The facts seen. Append-only; a fact's identity is permanent. */
export interface JournalWriter extends AsyncDisposable, CheckpointReader {
  /** One transaction, durable when it resolves. */
  record(batch: JournalBatch, storedAt: Instant): Promise<JournalWriteResult>;
}

export interface StoredFact {
  /** Rises in the order of storing. */
  readonly seq: number;
  readonly storedAt: Instant;
  readonly fact: JournalFact;
}

/** All that the journal holds about one container. */
export interface ContainerRecord {
  readonly facts: readonly ContainerFact[];
  readonly evidence: Instant | undefined;
  /** When the last of it was stored: a replayed old log is news, though its events are years old. */
  readonly learnedAt: Instant;
}

export interface JournalReader extends AsyncDisposable {
  /**
   * Facts stored after `seq`, in that order.
   *
   * @param shard one alone, as a meter reads them; without it those of all, for which there is no
   *   index where a ledger is divided
   */
  factsAfter(seq: number, limit: number, shard?: number): Promise<StoredFact[]>;
  /** All facts and the evidence of these containers (`cluster` and `container` name one). */
  containers(
    refs: readonly { cluster: string; container: string }[],
  ): Promise<Map<string, ContainerRecord>>;
  /** All application facts of these applications, keyed by applicationKey. */
  applications(
    refs: readonly { cluster: string; application: string }[],
  ): Promise<Map<string, ApplicationFact[]>>;
  /** Every cluster that a fact names. */
  clusters(): Promise<string[]>;
  loads(cluster: string, from: Instant, until: Instant, limit: number): Promise<LoadFact[]>;
  /** The last fact of every node of a cluster. */
  nodes(cluster: string): Promise<NodeFact[]>;
  /**
   * Facts of a cluster's nodes with `at` before `until`, and when its load was last told, by which
   * one knows that its nodes were looked at; undefined where nobody ever told a load.
   */
  nodeFacts(
    cluster: string,
    until: Instant,
  ): Promise<{ facts: NodeFact[]; heardUntil: Instant | undefined }>;
}

/** Key of a container in the maps above. */
export function containerKey(ref: { cluster: string; container: string }): string {
  return `${ref.cluster}\n${ref.container}`;
}

/** Key of an application in the maps above. */
export function applicationKey(ref: { cluster: string; application: string }): string {
  return `${ref.cluster}\n${ref.application}`;
}
