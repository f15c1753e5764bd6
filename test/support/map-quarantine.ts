import type { Quarantine, QuarantinedRecord } from '../../shared/stores/quarantine.ts';

/** A quarantine in memory, for tests of what a collector puts there. */
export class MapQuarantine implements Quarantine {
  readonly records = new Map<string, QuarantinedRecord>();
  async put(records: readonly QuarantinedRecord[]): Promise<void> {
    for (const record of records) this.records.set(record.id, record);
  }
  async list(): Promise<QuarantinedRecord[]> {
    return [...this.records.values()];
  }
  async count(): Promise<never[]> {
    return [];
  }
  async remove(ids: readonly string[]): Promise<number> {
    return ids.filter((id) => this.records.delete(id)).length;
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}
