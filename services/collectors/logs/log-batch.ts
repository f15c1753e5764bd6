import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import type { LogWriteResult, LogWriter } from '../../../shared/stores/log-store.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import type { Delivery } from '../core/deliver.ts';
import type { LogQuotas } from './log-quotas.ts';

/** Records on their way to the store, with their fates. */
export class LogBatch {
  readonly records: LogRecord[] = [];
  readonly quarantined: QuarantinedRecord[] = [];
  readonly dropped = new Map<string, number>();
  /** Sources read for the first time, at their beginning. */
  readonly begins: Checkpoint[] = [];
  /** Characters of the messages. */
  size = 0;
  readonly #quotas: LogQuotas | undefined;

  /** @param quotas what they leave out is dropped; without them everything is kept */
  constructor(quotas?: LogQuotas) {
    this.#quotas = quotas;
  }

  /** Undefined when it is kept, else the reason for which it was dropped. */
  keep(record: LogRecord): string | undefined {
    const reason = this.#quotas?.reasonToDrop(record);
    if (reason === undefined) {
      this.records.push(record);
      this.size += record.message.length;
    } else this.drop(reason);
    return reason;
  }

  drop(reason: string): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1);
  }

  /** @param fences of what it was read under, where several processes divide that */
  delivery(
    writer: LogWriter,
    checkpoints: readonly Checkpoint[],
    fences?: readonly Fence[],
  ): Delivery<LogWriteResult> {
    const { records, quarantined, dropped, begins } = this;
    return {
      store: () => writer.write({ records, checkpoints, begins, ...(fences && { fences }) }),
      quarantined,
      kept: records.length,
      dropped,
    };
  }
}
