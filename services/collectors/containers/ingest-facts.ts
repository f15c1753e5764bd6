import { createHash } from 'node:crypto';
import type {
  ApplicationActivity,
  Evidence,
  JournalFact,
} from '../../../shared/contracts/container-fact.ts';
import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { type ProjectId, parseProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { decodeText } from '../core/decode-text.ts';
import { FOREIGN_PROJECT } from '../core/fate.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { printQueueSource, type QueuedBatch } from '../core/queue.ts';
import type { KnownApplications } from './known-project.ts';
import { ownRecords } from './own-facts.ts';
import { type PushedContext, type PushedRecord, parsePushed } from './parse/parse-pushed.ts';
import { printSource, sourcePlace } from './pushed-source.ts';
import type { RecordFacts } from './record-facts.ts';

export interface FactIngestDeps {
  readonly attribute: PushedContext['attribute'];
  readonly yarnMemoryStepMib: NonNullable<PushedContext['yarnMemoryStepMib']>;
  readonly record: RecordFacts;
  /** Who owns an application; without it senders of some projects only are refused. */
  readonly known: KnownApplications | undefined;
  readonly quarantine: Quarantine;
  readonly maxQueuedBytes: number;
  /** By which a replayed record is judged, since what came too early has its time. */
  readonly clock: Pick<Clock, 'now'>;
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
  /** Of senders bound to some projects: kept once it is known that they may. */
  readonly bound: { readonly record: PushedRecord; readonly line: Line }[];
  readonly facts: JournalFact[];
  readonly evidence: Evidence[];
  readonly activity: ApplicationActivity[];
  readonly refused: QuarantinedRecord[];
  readonly dropped: Map<string, number>;
  readonly verdicts: RestIngest['verdicts'];
  /** Where each fact stood, for those that turn out to conflict. */
  readonly lines: Map<JournalFact, Line>;
}

const RAW_CHARS = 65_536;

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
      const source = printSource(request);
      this.#read(decodeText(request.body), { ...request, source }, draft);
      await this.#keepOwn(draft, request.onlyProjects);
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
        ...sourcePlace(source),
        receivedAt: Math.max(observedAt, this.#deps.clock.now()),
      });
      sum.stored += answer.stored;
      sum.duplicates += answer.duplicates;
      sum.dropped += answer.dropped;
      sum.quarantined += answer.quarantined;
      if (answer.quarantined === 0) done.push(id);
    }
    if (done.length > 0) await this.#deps.quarantine.remove(done);
    return sum;
  }

  #read(text: string, place: Place, draft: Draft): void {
    const { cluster, project, onlyProjects, receivedAt } = place;
    const { attribute, yarnMemoryStepMib } = this.#deps;
    const rules = { attribute, yarnMemoryStepMib, onlyProjects };
    const context = { cluster, project, now: receivedAt, ...rules };
    for (const [position, written] of text.split('\n').entries()) {
      const raw = written.trim();
      if (raw === '') continue;
      const line = { line: position + 1, raw, place };
      const fate = parsePushed(raw, context);
      if (fate.fate === 'dropped') drop(draft, line, fate.reason);
      else if (fate.fate === 'quarantined') this.#refuse(draft, line, fate.reason);
      else if (onlyProjects !== undefined) draft.bound.push({ record: fate.record, line });
      else keep(draft, fate.record, line);
    }
  }

  /** Of a sender bound to some projects, what is about their applications. */
  async #keepOwn(draft: Draft, onlyProjects: readonly ProjectId[] | undefined): Promise<void> {
    if (onlyProjects === undefined) return;
    const { known } = this.#deps;
    if (known === undefined) {
      const message = 'facts of containers need a token of all projects here';
      throw new AppError('FORBIDDEN', message);
    }
    const records = draft.bound.map(({ record }) => record);
    const own = await ownRecords(records, onlyProjects, known);
    for (const { record, line } of draft.bound) {
      if (own.has(record)) keep(draft, record, line);
      else drop(draft, line, FOREIGN_PROJECT);
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
    const { facts, evidence, activity, refused, dropped, verdicts, lines } = draft;
    const told = facts.length + evidence.length + activity.length;
    if (told + refused.length + dropped.size === 0) {
      return { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    }
    const outcome = await record(
      { facts, evidence, activity, quarantined: refused, dropped },
      signal,
    );
    const late: Pick<Draft, 'refused' | 'verdicts'> = { refused: [], verdicts };
    for (const conflict of outcome.conflicts) {
      const sent = lines.get(conflict);
      if (sent !== undefined) this.#refuse(late, sent, 'conflicting-id');
    }
    // Nothing was answered yet: after a crash here the sender repeats, and meets the same conflict.
    if (late.refused.length > 0) await record({ quarantined: late.refused }, signal);
    verdicts.sort((a, b) => a.line - b.line);
    return {
      stored: outcome.stored + evidence.length + activity.length,
      duplicates: outcome.duplicates,
      dropped: [...dropped.values()].reduce((sum, count) => sum + count, 0),
      quarantined: refused.length + late.refused.length,
      verdicts,
    };
  }
}

function keep(draft: Draft, record: PushedRecord, line: Line): void {
  if (record.is === 'seen') draft.evidence.push(record.evidence);
  else if (record.is === 'activity') draft.activity.push(record.activity);
  else {
    draft.facts.push(record.fact);
    draft.lines.set(record.fact, line);
  }
}

function drop({ dropped, verdicts }: Draft, { line }: Line, reason: string): void {
  dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
  verdicts.push({ line, fate: 'dropped', reason });
}

function emptyDraft(): Draft {
  const lists = { bound: [], facts: [], evidence: [], activity: [], refused: [], verdicts: [] };
  return { ...lists, dropped: new Map(), lines: new Map() };
}
