import type { JournalBatch } from '../../shared/stores/journal.ts';

/** A batch with what is said, and nothing else. */
export function journalBatch(parts: Partial<JournalBatch>): JournalBatch {
  return { facts: [], evidence: [], activity: [], checkpoints: [], ...parts };
}
