import { createHash } from 'node:crypto';
import type { Evidence, JournalFact } from '../../../shared/contracts/container-fact.ts';
import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { parseProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { decodeText } from '../core/decode-text.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { type PushedContext, parsePushed } from './parse/parse-pushed.ts';
import type { RecordFacts } from './record-facts.ts';

export interface FactIngestDeps {
  readonly attribute: PushedContext['attribute'];
  readonly record: RecordFacts;
  readonly quarantine: Quarantine;
  readonly maxQueuedBytes: number;
  readonly signal: AbortSignal;
}

interface Draft {
  readonly facts: JournalFact[];
  readonly evidence: Evidence[];
  readonly refused: QuarantinedRecord[];
  readonly verdicts: RestIngest['verdicts'];
  /** Line and text of each fact, for those that turn out to conflict. */
  readonly lines: Map<JournalFact, { readonly line: number; readonly raw: string }>;
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
      return await this.#store(this.#read(request), request);
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  /** Reads quarantined records again; what is stored now leaves the quarantine. */
  async replay(records: readonly QuarantinedRecord[]): Promise<RestIngest> {
    const sum: RestIngest = { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    const done: string[] = [];
    for (const { id, source, raw, project, observedAt } of records) {
      const answer = await this.ingest({
        body: new TextEncoder().encode(raw),
        project: project === UNATTRIBUTED ? undefined : parseProjectId(project),
        cluster: source.startsWith(PREFIX) ? source.slice(PREFIX.length) : '',
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

  #read(request: IngestRequest): Draft {
    const { cluster, project, receivedAt } = request;
    const context = { cluster, project, now: receivedAt, attribute: this.#deps.attribute };
    const draft: Draft = { facts: [], evidence: [], refused: [], verdicts: [], lines: new Map() };
    const text = decodeText(request.body);
    for (const [position, written] of text.split('\n').entries()) {
      const raw = written.trim();
      if (raw === '') continue;
      const line = position + 1;
      const fate = parsePushed(raw, context);
      if (fate.fate !== 'kept') this.#refuse(draft, { line, raw, reason: fate.reason }, request);
      else if (fate.record.is === 'seen') draft.evidence.push(fate.record.evidence);
      else {
        draft.facts.push(fate.record.fact);
        draft.lines.set(fate.record.fact, { line, raw });
      }
    }
    return draft;
  }

  #refuse(
    draft: Pick<Draft, 'refused' | 'verdicts'>,
    { line, raw, reason }: { readonly line: number; readonly raw: string; readonly reason: string },
    { cluster, project, receivedAt }: IngestRequest,
  ): void {
    const digest = createHash('sha256').update(`${cluster}\n${raw}`).digest('hex').slice(0, 32);
    draft.verdicts.push({ line, fate: 'quarantined', reason });
    draft.refused.push({
      id: `containers:${digest}`,
      collector: 'containers',
      source: `${PREFIX}${cluster}`,
      reason,
      project: project ?? UNATTRIBUTED,
      observedAt: receivedAt,
      raw: raw.slice(0, RAW_CHARS),
    });
  }

  async #store(draft: Draft, request: IngestRequest): Promise<RestIngest> {
    const { record, signal } = this.#deps;
    const { facts, evidence, refused, verdicts, lines } = draft;
    if (facts.length + evidence.length + refused.length === 0) {
      return { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    }
    const outcome = await record({ facts, evidence, quarantined: refused }, signal);
    const late: Pick<Draft, 'refused' | 'verdicts'> = { refused: [], verdicts };
    for (const conflict of outcome.conflicts) {
      const sent = lines.get(conflict);
      if (sent !== undefined) this.#refuse(late, { ...sent, reason: 'conflicting-id' }, request);
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
