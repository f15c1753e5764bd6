import {
  type ApplicationActivity,
  type JournalFact,
  NO_RULE,
} from '../../shared/contracts/container-fact.ts';
import type { ApplicationInfo } from '../../shared/event-log/application-info.ts';
import { EventLogReader } from '../../shared/event-log/event-log-reader.ts';
import { EventLogLines } from '../../shared/event-log/read-event-log.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { UNATTRIBUTED } from '../../shared/values/project-id.ts';
import { findEventLogs, type LogSource } from './find-event-logs.ts';
import { problemOf, whyForeign } from './read-attempt.ts';
import { identityFromName, type LogReading, readLogParts } from './read-log-parts.ts';

export interface ImportOptions {
  /** Files and folders, searched to any depth. */
  readonly paths: readonly string[];
  readonly cluster: string;
  /** Applications that started before are left out. */
  readonly since: Instant;
  /** Keys of an application's configuration that attribution rules look at; all others stay here. */
  readonly configuration: readonly string[];
  /** Takes lines as `POST /v1/ingest/containers` does; resolves when they are stored. */
  readonly send: (lines: readonly string[]) => Promise<void>;
  readonly onProgress: (bytesRead: number, bytesTotal: number) => void;
  readonly signal: AbortSignal;
}

export interface ImportSummary {
  /** Attempts of applications that were sent. */
  readonly attempts: number;
  readonly tooOld: number;
  readonly lines: number;
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

const LINES_PER_BATCH = 2_000;
const BYTES_PER_BATCH = 4 * 1024 * 1024;
/** A project's own name for itself, which rules commonly take it from. */
const OWN_PREFIX = 'spark.tollgate.';

/** Lines that wait to be sent, so that the facts of a short log are stored together. */
class Outbox {
  readonly #send: ImportOptions['send'];
  #lines: string[] = [];
  #bytes = 0;
  sent = 0;

  constructor(send: ImportOptions['send']) {
    this.#send = send;
  }

  add(record: object): void {
    const line = JSON.stringify(record);
    this.#lines.push(line);
    this.#bytes += Buffer.byteLength(line) + 1;
  }

  get isFull(): boolean {
    return this.#lines.length >= LINES_PER_BATCH || this.#bytes >= BYTES_PER_BATCH;
  }

  async flush(): Promise<void> {
    for (let from = 0; from < this.#lines.length; from += LINES_PER_BATCH) {
      await this.#send(this.#lines.slice(from, from + LINES_PER_BATCH));
    }
    this.sent += this.#lines.length;
    this.#lines = [];
    this.#bytes = 0;
  }
}

/**
 * A fact as it is pushed: its id without the witness, which the receiver gives it, and without the
 * project, which the receiver's rules give it.
 */
function pushedFact(
  fact: JournalFact,
  cluster: string,
  configuration: Readonly<Record<string, string>>,
): object {
  const id = fact.id.slice(`${cluster}/event-log/`.length);
  const { witness: _witness, ...told } = fact;
  if (told.kind !== 'application-seen' && told.kind !== 'application-ended') {
    return { ...told, id };
  }
  const { project: _project, rule: _rule, ...application } = told;
  return { ...application, id, configuration };
}

function configurationOf(
  application: ApplicationInfo | undefined,
  keys: readonly string[],
): Record<string, string> {
  const all = [...(application?.configuration ?? [])];
  return Object.fromEntries(
    all.filter(([key]) => key.startsWith(OWN_PREFIX) || keys.includes(key)),
  );
}

type Fate = 'sent' | 'too-old' | { readonly problem: string };

async function importLog(
  source: LogSource,
  outbox: Outbox,
  options: ImportOptions & { readonly onBytes: (bytes: number) => void },
): Promise<{ readonly fate: Fate; readonly problem: string | undefined }> {
  const { cluster, since, onBytes, signal } = options;
  const reader = new EventLogReader({
    cluster,
    attribute: () => ({ project: UNATTRIBUTED, rule: NO_RULE }),
    fallback: identityFromName(source.path),
  });
  const reading: LogReading = { reader, lines: new EventLogLines(reader), end: undefined };
  const facts: JournalFact[] = [];
  const isTooOld = (): boolean => (reader.application?.start ?? since) < since;
  const take = (found: readonly JournalFact[]): boolean => {
    facts.push(...found);
    return !isTooOld();
  };
  await readLogParts(source, reading, { onBytes, signal, take });
  if (reader.events === 0) {
    return { fate: { problem: whyForeign(reading.end, reading.lines) }, problem: undefined };
  }
  reader.finish('the log ends here');
  facts.push(...reader.takeFacts());
  const { application } = reader;
  if (isTooOld()) return { fate: 'too-old', problem: undefined };
  if (application === undefined) {
    return { fate: { problem: 'nothing in it tells of an application' }, problem: undefined };
  }
  const configuration = configurationOf(application, options.configuration);
  for (const fact of facts) outbox.add(pushedFact(fact, cluster, configuration));
  const activity: ApplicationActivity | undefined = reader.activity();
  if (activity !== undefined) outbox.add({ kind: 'activity', ...activity });
  if (outbox.isFull) await outbox.flush();
  return { fate: 'sent', problem: problemOf(reader) };
}

/**
 * Sends what event logs tell of containers to a Tollgate that runs. Sending the same again adds
 * nothing, so an import that was cut short is simply repeated. What can't be read is named, and the
 * rest is sent.
 */
export async function importEventLogs(options: ImportOptions): Promise<ImportSummary> {
  const { onProgress, signal } = options;
  const found = await findEventLogs(options.paths);
  const total = found.sources
    .flatMap(({ parts }) => parts)
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const outbox = new Outbox(options.send);
  const problems = [...found.problems];
  let [attempts, tooOld, read] = [0, 0, 0];
  const onBytes = (bytes: number): void => {
    read += bytes;
    onProgress(read, Math.max(total, read));
  };
  for (const source of found.sources) {
    signal.throwIfAborted();
    const { fate, problem } = await importLog(source, outbox, { ...options, onBytes });
    if (fate === 'sent') attempts += 1;
    else if (fate === 'too-old') tooOld += 1;
    else problems.push({ path: source.path, reason: fate.problem });
    if (problem !== undefined) problems.push({ path: source.path, reason: problem });
  }
  await outbox.flush();
  return { attempts, tooOld, lines: outbox.sent, problems };
}
