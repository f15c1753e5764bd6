import type {
  ApplicationEnding,
  ApplicationFact,
  ContainerFact,
  ContainerRole,
  Evidence,
  JournalFact,
} from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import { NO_RESOURCES, type Resources } from '../values/resources.ts';
import type { ApplicationInfo } from './application-info.ts';

/** A container as the log introduces it. */
export interface StartedContainer {
  /** Unique in the attempt: the executor's id, `driver` or `application-master`. */
  readonly key: string;
  /** YARN's id, or undefined where the log has none. */
  readonly container: string | undefined;
  readonly role: ContainerRole;
  readonly resources: Resources;
  readonly host: string;
  readonly at: Instant;
}

interface Open {
  readonly container: string;
  readonly role: ContainerRole;
  readonly host: string;
  readonly start: Instant;
}

/** The project that an application's costs go to, and the rank of the rule that says so. */
export interface Attribution {
  readonly project: ProjectId;
  readonly rule: number;
  /** A project that it named and may not use. */
  readonly claimed?: string;
}

/**
 * Turns what one attempt's log says into journal facts. A fact's id depends on the log alone, so
 * reading a log again from its beginning repeats the same facts. An end that was only inferred has
 * an id of its own: the log may yet grow and tell the real one.
 */
export class FactWriter {
  readonly #cluster: string;
  readonly #application: string;
  readonly #attempt: string;
  readonly #open = new Map<string, Open>();
  #facts: JournalFact[] = [];
  #seen = 0;

  constructor(cluster: string, application: string, attempt: string) {
    this.#cluster = cluster;
    this.#application = application;
    this.#attempt = attempt;
  }

  #id(suffix: string): string {
    return `${this.#cluster}/event-log/${this.#application}/${this.#attempt}/${suffix}`;
  }

  #applicationFact(
    kind: ApplicationFact['kind'],
    at: Instant,
    { info, project, rule, claimed }: Attribution & { readonly info: ApplicationInfo },
  ): ApplicationFact {
    return {
      kind,
      id: '',
      cluster: this.#cluster,
      witness: 'event-log',
      at,
      application: this.#application,
      attempt: this.#attempt,
      name: info.name,
      user: info.user,
      queue: info.queue,
      project,
      rule,
      tags: info.tags,
      url: '',
      ...(claimed === undefined ? {} : { claimed }),
    };
  }

  /** Written at the start, and again when a later event changed what is known. */
  applicationSeen(info: ApplicationInfo, attribution: Attribution): void {
    const fact = this.#applicationFact('application-seen', info.start, { info, ...attribution });
    this.#seen += 1;
    this.#facts.push({ ...fact, id: this.#id(`application/seen/${this.#seen}`) });
  }

  applicationEnded(info: ApplicationInfo, attribution: Attribution, end: End): void {
    const fact = this.#applicationFact('application-ended', end.at, { info, ...attribution });
    const { ending } = end;
    if (end.inferred) {
      this.#facts.push({ ...fact, id: this.#id(`application/ended-inferred/${end.at}`) });
      return;
    }
    // A log that was read before endings were is read to the same facts and one more.
    const id = this.#id(`application/ended${ending === undefined ? '' : `/${ending.outcome}`}`);
    this.#facts.push({ ...fact, id, ...(ending === undefined ? {} : { ending }) });
  }

  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  start(started: StartedContainer): void {
    const { key, role, resources, host, at } = started;
    const container = started.container ?? `${this.#application}/${this.#attempt}/${key}`;
    this.#open.set(key, { container, role, host, start: at });
    const id = this.#id(`container/${key}/started`);
    this.#push({ kind: 'container-started', id, at, container, role, host, resources, reason: '' });
  }

  /** Ends an open container and returns when; a time before its start becomes its start. */
  stop(key: string, end: End): Instant | undefined {
    const open = this.#open.get(key);
    if (open === undefined) return undefined;
    this.#open.delete(key);
    const { container, role, host } = open;
    const at = Math.max(end.at, open.start);
    const id = this.#id(`container/${key}/${end.inferred ? `stopped-inferred/${at}` : 'stopped'}`);
    const { reason } = end;
    this.#push({
      kind: 'container-stopped',
      id,
      at,
      container,
      role,
      host,
      resources: NO_RESOURCES,
      reason,
    });
    return at;
  }

  /** Ends all that are open. Returns how many would have ended before they began. */
  stopAll(end: End): number {
    let inverted = 0;
    for (const [key, { start }] of [...this.#open]) {
      if (start > end.at) inverted += 1;
      this.stop(key, end);
    }
    return inverted;
  }

  #push(fact: Omit<ContainerFact, 'cluster' | 'witness' | 'application' | 'attempt'>): void {
    this.#facts.push({
      ...fact,
      cluster: this.#cluster,
      witness: 'event-log',
      application: this.#application,
      attempt: this.#attempt,
    });
  }

  take(): JournalFact[] {
    const facts = this.#facts;
    this.#facts = [];
    return facts;
  }

  /** That all open containers were alive at `until`. */
  evidence(until: Instant): Evidence[] {
    return [...this.#open.values()].map(({ container, start }) => ({
      cluster: this.#cluster,
      container,
      until: Math.max(start, until),
    }));
  }
}

/** When and why something ended; `inferred` when the log doesn't tell. */
export interface End {
  readonly at: Instant;
  readonly reason: string;
  readonly inferred: boolean;
  /** How, of an application; undefined where the log doesn't tell. */
  readonly ending?: ApplicationEnding | undefined;
}
