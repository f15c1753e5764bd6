import { createHash } from 'node:crypto';
import type { Evidence, JournalFact } from '../../../shared/contracts/container-fact.ts';
import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { parseProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { decodeText } from '../core/decode-text.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { parseQueueSource, printQueueSource, type QueuedBatch } from '../core/queue.ts';
import { type PushedContext, parsePushed } from './parse/parse-pushed.ts';
import type { RecordFacts } from './record-facts.ts';

export interface FactIngestDeps {
  readonly attribute: PushedContext['attribute'];
  readonly record: RecordFacts;
  readonly quarantine: Quarantine;
  readonly maxQueuedBytes: number;
  readonly signal: AbortSignal;
}

/** Where lines come from, and what holds for those that don't say it themselves. */
type Place = Omit<IngestRequest, 'body'> & {
  /** Name in the quarantine. */
  readonly source: string;
  /** Identity of a queue's message; a pushed line is known by what it says. */
  readonly id?: string;
};

interface Line {
  readonly line: number;
  readonly raw: string;
  readonly place: Place;
}

interface Draft {
  readonly facts: JournalFact[];
  readonly evidence: Evidence[];
  readonly refused: QuarantinedRecord[];
  readonly dropped: Map<string, number>;
  readonly verdicts: RestIngest['verdicts'];
  /** Where each fact stood, for those that turn out to conflict. */
  readonly lines: Map<JournalFact, Line>;
}

const RAW_CHARS = 65_536;
const PREFIX = 'http:';

/** Stores pushed facts and sights; what can't be read, or says otherwise under a known id, waits in quarantine. */
export class FactIngest {
  readonly #deps: FactIngestDeps;
  #queuedBytes = 0;

  constructor(deps: FactIngestDeps) {
    this.#deps = deps;
  }

  /** @throws AppError OVERLOADED while too many bytes wait to be stored */
  async ingest(request: IngestRequest): Promise<RestIngest> {
    const bytes = request.body.byteLength;
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#deps.maxQueuedBytes) {
      throw new AppError('OVERLOADED', 'too many container facts wait to be stored; send again');
    }
    this.#queuedBytes += bytes;
    try {
      const draft = emptyDraft();
      const source = `${PREFIX}${request.cluster}`;
      this.#read(decodeText(request.body), { ...request, source }, draft);
      return await this.#store(draft, this.#deps.signal);
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  /** Stores a queue's messages, each of one or more lines. */
  async take(queued: QueuedBatch, signal: AbortSignal): Promise<void> {
    const { cluster, project, receivedAt, origin } = queued;
    const draft = emptyDraft();
    for (const { id, text, refused } of queued.records) {
      const source = printQueueSource(origin, queued);
      const place = { cluster, project, receivedAt, source, id };
      if (refused === undefined) this.#read(text, place, draft);
      else if (refused.fate === 'dropped') {
        draft.dropped.set(refused.reason, (draft.dropped.get(refused.reason) ?? 0) + 1);
      } else this.#refuse(draft, { line: 1, raw: text, place }, refused.reason);
    }
    await this.#store(draft, AbortSignal.any([signal, this.#deps.signal]));
  }

  /** Reads quarantined records again; what is stored now leaves the quarantine. */
  async replay(records: readonly QuarantinedRecord[]): Promise<RestIngest> {
    const sum: RestIngest = { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    const done: string[] = [];
    for (const { id, source, raw, project, observedAt } of records) {
      const answer = await this.ingest({
        body: new TextEncoder().encode(raw),
        project: project === UNATTRIBUTED ? undefined : parseProjectId(project),
        cluster: source.startsWith(PREFIX)
          ? source.slice(PREFIX.length)
          : (parseQueueSource(source)?.cluster ?? ''),
        receivedAt: observedAt,
      });
      sum.stored += answer.stored;
      sum.duplicates += answer.duplicates;
      sum.quarantined += answer.quarantined;
      if (answer.quarantined === 0) done.push(id);
    }
    if (done.length > 0) await this.#deps.quarantine.remove(done);
    return sum;
  }

  #read(text: string, place: Place, draft: Draft): void {
    const { cluster, project, receivedAt } = place;
    const context = { cluster, project, now: receivedAt, attribute: this.#deps.attribute };
    for (const [position, written] of text.split('\n').entries()) {
      const raw = written.trim();
      if (raw === '') continue;
      const line = { line: position + 1, raw, place };
      const fate = parsePushed(raw, context);
      if (fate.fate !== 'kept') this.#refuse(draft, line, fate.reason);
      else if (fate.record.is === 'seen') draft.evidence.push(fate.record.evidence);
      else {
        draft.facts.push(fate.record.fact);
        draft.lines.set(fate.record.fact, line);
      }
    }
  }

  #refuse(
    draft: Pick<Draft, 'refused' | 'verdicts'>,
    { line, raw, place }: Line,
    reason: string,
  ): void {
    const { cluster, project, receivedAt, source, id } = place;
    const digest = createHash('sha256').update(`${cluster}\n${raw}`).digest('hex').slice(0, 32);
    draft.verdicts.push({ line, fate: 'quarantined', reason });
    draft.refused.push({
      id: id === undefined ? `containers:${digest}` : line === 1 ? id : `${id}.${line}`,
      collector: 'containers',
      source,
      reason,
      project: project ?? UNATTRIBUTED,
      observedAt: receivedAt,
      raw: raw.slice(0, RAW_CHARS),
    });
  }

  async #store(draft: Draft, signal: AbortSignal): Promise<RestIngest> {
    const { record } = this.#deps;
    const { facts, evidence, refused, dropped, verdicts, lines } = draft;
    if (facts.length + evidence.length + refused.length + dropped.size === 0) {
      return { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    }
    const outcome = await record({ facts, evidence, quarantined: refused, dropped }, signal);
    const late: Pick<Draft, 'refused' | 'verdicts'> = { refused: [], verdicts };
    for (const conflict of outcome.conflicts) {
      const sent = lines.get(conflict);
      if (sent !== undefined) this.#refuse(late, sent, 'conflicting-id');
    }
    // Nothing was answered yet: after a crash here the sender repeats, and meets the same conflict.
    if (late.refused.length > 0) await record({ quarantined: late.refused }, signal);
    verdicts.sort((a, b) => a.line - b.line);
    return {
      stored: outcome.stored + evidence.length,
      duplicates: outcome.duplicates,
      dropped: 0,
      quarantined: refused.length + late.refused.length,
      verdicts,
    };
  }
}

function emptyDraft(): Draft {
  const lists = { facts: [], evidence: [], refused: [], verdicts: [] };
  return { ...lists, dropped: new Map(), lines: new Map() };
}
