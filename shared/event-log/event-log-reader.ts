import {
  type ApplicationActivity,
  type Evidence,
  INFERRED_STOP,
  type JournalFact,
} from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import { isResources, NO_RESOURCES, type Resources } from '../values/resources.ts';
import {
  type ApplicationInfo,
  type ApplicationStart,
  applicationInfo,
  mergeProperties,
  readApplicationStart,
} from './application-info.ts';
import {
  applicationMasterResources,
  type Configuration,
  clusterManagerOf,
  driverResources,
  type ExecutorRequest,
  executorMemoryMib,
  isClusterMode,
  type Launch,
  roundUpMemory,
  taskCpus,
} from './container-size.ts';
import type { EventLine } from './event-line.ts';
import {
  type ExecutorAdded,
  readApplicationMaster,
  readExecutorAdded,
  readResourceProfile,
} from './executor-event.ts';
import { ExecutorSlots } from './executor-slots.ts';
import { type Attribution, type End, FactWriter, type StartedContainer } from './fact-writer.ts';
import { instantField, type JsonObject, textField } from './json-fields.ts';
import { LogEnding } from './log-ending.ts';
import type { LogNote } from './log-notes.ts';
import { removalTime } from './removal-time.ts';

export interface EventLogReaderOptions {
  readonly cluster: string;
  /** Gives the application its project; asked again when its configuration changes. */
  readonly attribute: (application: ApplicationInfo) => Attribution;
  /** Identity for a log without ApplicationStart, such as its file's name. */
  readonly fallback: { readonly application: string; readonly attempt: string };
  /** YARN's minimum allocation in MiB, to which it rounds memory up; 0 leaves it as asked. */
  readonly yarnMemoryStepMib?: number;
}

const RELEASED = /killed by driver|explicit termination request|idle|scale ?down/i;
const MAX_PENDING = 10_000;
const MAX_PROFILES = 10_000;

/**
 * Follows one attempt's event log: lines in, journal facts and activity out. Holds no clock and no
 * file; it can be fed piece by piece while the log grows, and any split of the lines gives the same.
 */
export class EventLogReader {
  readonly #options: EventLogReaderOptions;
  readonly #slots = new ExecutorSlots();
  readonly #profiles = new Map<number, ExecutorRequest>();
  readonly #executors = new Map<string, 'open' | 'closed'>();
  readonly #notes = new Map<LogNote, number>();
  readonly #ending = new LogEnding();
  #configuration: Configuration = new Map();
  #sparkVersion = '';
  #start: ApplicationStart | undefined;
  #info: ApplicationInfo | undefined;
  #attribution: Attribution | undefined;
  #facts: FactWriter | undefined;
  #pending: (() => void)[] = [];
  #first: Instant | undefined;
  #last: Instant | undefined;
  #end: End | undefined;
  #events = 0;
  #hasDriverExecutor = false;

  constructor(options: EventLogReaderOptions) {
    this.#options = options;
  }

  /** Undefined until the log has told it. */
  get application(): ApplicationInfo | undefined {
    return this.#info;
  }

  get attribution(): Attribution | undefined {
    return this.#attribution;
  }

  /** Set by ApplicationEnd, or by finish(). */
  get end(): End | undefined {
    return this.#end;
  }

  get lastEventAt(): Instant | undefined {
    return this.#last;
  }

  /** Lines that were events of Spark, known or not. */
  get events(): number {
    return this.#events;
  }

  get taskRunMs(): number {
    return this.#slots.taskRunMs;
  }

  get notes(): ReadonlyMap<LogNote, number> {
    const strangers = this.#slots.strangers;
    const extra: [LogNote, number][] =
      strangers > 0 ? [['task-of-unknown-executor', strangers]] : [];
    return new Map([...this.#notes, ...extra]);
  }

  note(kind: LogNote, times = 1): void {
    if (times > 0) this.#notes.set(kind, (this.#notes.get(kind) ?? 0) + times);
  }

  push(line: EventLine): void {
    if (line.kind !== 'unreadable') this.#events += 1;
    switch (line.kind) {
      case 'unreadable':
        this.note('unreadable-line');
        break;
      case 'task-start':
        this.#seen(line.task.launch);
        this.#knowApplication();
        this.#slots.taskStarted(line.task);
        break;
      case 'task-end':
        this.#seen(line.task.launch);
        this.#seen(line.task.finish);
        this.#knowApplication();
        this.#slots.taskEnded(line.task);
        break;
      case 'stage':
        this.#seen(line.at);
        this.#slots.stageSubmitted(line.stageId, line.attempt, line.tasks);
        break;
      case 'other':
        this.#seen(line.at);
        break;
      case 'event':
        this.#event(line.name, line.event);
        break;
    }
  }

  /** The facts found since the last call. */
  takeFacts(): JournalFact[] {
    return this.#facts?.take() ?? [];
  }

  /** That the open containers were alive at the last event. */
  evidence(): Evidence[] {
    return this.#last === undefined ? [] : (this.#facts?.evidence(this.#last) ?? []);
  }

  /** Where the slot time went up to the last event; undefined while the application is unknown. */
  activity(): ApplicationActivity | undefined {
    if (this.#info === undefined || this.#last === undefined) return undefined;
    const at = this.#end?.at ?? this.#last;
    return {
      cluster: this.#options.cluster,
      application: this.#info.application,
      attempt: this.#info.attempt,
      at,
      ...this.#slots.totals(at, this.#end?.inferred === false),
    };
  }

  /**
   * The log won't grow any more. Without an ApplicationEnd the last event is taken for the end, and
   * the facts say so. Nothing happens after a second call or where nothing is known.
   */
  finish(reason: string): void {
    if (this.#first !== undefined) this.#knowApplication();
    if (this.#end !== undefined || this.#last === undefined) return;
    this.note('end-inferred');
    this.#over({ at: this.#last, reason: `${INFERRED_STOP}${reason}`, inferred: true });
  }

  #seen(at: Instant | undefined): void {
    if (at === undefined) return;
    if (this.#first === undefined || at < this.#first) this.#first = at;
    if (this.#last === undefined || at > this.#last) this.#last = at;
  }

  /** Tasks can't run before the application started: a log that says so has lost its beginning. */
  #knowApplication(): void {
    if (this.#facts !== undefined || this.#first === undefined) return;
    this.note('start-inferred');
    const { application, attempt } = this.#options.fallback;
    const start = this.#first;
    const unknown = { name: '', user: '', driverContainer: undefined, driverHost: '' };
    this.#begin({ application, attempt, start, ...unknown });
  }

  #event(name: string, event: JsonObject): void {
    if (name === 'SparkListenerLogStart') {
      this.#sparkVersion = textField(event, 'Spark Version', 64);
    } else if (name === 'SparkListenerEnvironmentUpdate') {
      this.#configuration = mergeProperties(this.#configuration, event);
      this.#describe();
    } else if (name === 'SparkListenerResourceProfileAdded') {
      const profile = readResourceProfile(event);
      if (profile !== undefined && this.#profiles.size < MAX_PROFILES) {
        this.#profiles.set(profile.id, profile.request);
      }
    } else if (name === 'SparkListenerJobEnd') {
      this.#seen(instantField(event, 'Completion Time'));
      this.#ending.jobEnded(event);
    } else {
      this.#timed(name, event);
    }
  }

  #timed(name: string, event: JsonObject): void {
    const at = instantField(event, 'Timestamp') ?? instantField(event, 'time');
    if (at === undefined) {
      const isThere = Object.hasOwn(event, 'Timestamp') || Object.hasOwn(event, 'time');
      this.note(isThere ? 'implausible-time' : 'unreadable-line');
      return;
    }
    this.#seen(at);
    if (name === 'SparkListenerApplicationStart') {
      if (this.#facts !== undefined) this.note('second-application');
      else this.#begin(readApplicationStart(event, at, this.#options.fallback.application));
      return;
    }
    const act = this.#action(name, event, at);
    if (this.#facts !== undefined) {
      act();
      return;
    }
    // Executors may come before ApplicationStart; they wait for it, since they need its id.
    this.#pending.push(act);
    if (this.#pending.length > MAX_PENDING) this.#knowApplication();
  }

  #action(name: string, event: JsonObject, at: Instant): () => void {
    if (name === 'SparkListenerApplicationEnd') {
      const ending = this.#ending.of(event);
      return () => {
        if (this.#end === undefined)
          this.#over({ at, reason: 'application ended', inferred: false, ending });
      };
    }
    if (name === 'SparkListenerExecutorRemoved') {
      const executor = textField(event, 'Executor ID', 256);
      const reason = textField(event, 'Removed Reason', 512);
      return () => {
        const endedAt = removalTime(at, reason, {
          sparkVersion: this.#sparkVersion,
          configuration: this.#configuration,
        });
        this.#removed(executor, { at: endedAt, reason, inferred: false });
      };
    }
    if (name === 'SparkListenerExecutorAdded') {
      const added = readExecutorAdded(event);
      if (added?.executor === 'driver') this.#hasDriverExecutor = true;
      return added === undefined
        ? () => this.note('unreadable-line')
        : () => this.#executorAdded(added);
    }
    const master = readApplicationMaster(event);
    return () => {
      if (master !== undefined) this.#applicationMaster(master);
    };
  }

  #begin(start: ApplicationStart): void {
    const { cluster } = this.#options;
    this.#start = start;
    this.#facts = new FactWriter(cluster, start.application, start.attempt);
    this.#describe();
    // In local mode the driver is the only executor, and is counted as that.
    if (this.#launch().manager !== 'local') this.#startDriver(start);
    const pending = this.#pending;
    this.#pending = [];
    for (const act of pending) act();
  }

  /** Tells the journal who the application is, when that is new. */
  #describe(): void {
    if (this.#start === undefined) return;
    const info = applicationInfo(this.#start, this.#sparkVersion, this.#configuration);
    const attribution = this.#options.attribute(info);
    const isKnown =
      this.#info !== undefined &&
      this.#attribution?.project === attribution.project &&
      this.#attribution.rule === attribution.rule &&
      this.#attribution.claimed === attribution.claimed &&
      this.#info.queue === info.queue &&
      JSON.stringify(this.#info.tags) === JSON.stringify(info.tags);
    this.#info = info;
    this.#attribution = attribution;
    if (!isKnown) this.#facts?.applicationSeen(info, attribution);
  }

  #launch(): Launch {
    const configuration = this.#configuration;
    if (this.#hasDriverExecutor) return { configuration, manager: 'local' };
    const manager = clusterManagerOf(configuration, this.#start?.application ?? '');
    return { configuration, manager };
  }

  #startDriver({ start, driverContainer, driverHost }: ApplicationStart): void {
    const launch = this.#launch();
    const host = driverHost || (this.#configuration.get('spark.driver.host') ?? '').slice(0, 256);
    const resources = driverResources(launch);
    this.#startContainer({
      key: 'driver',
      container: driverContainer,
      role: 'driver',
      resources: isClusterMode(this.#configuration) ? this.#rounded(resources) : resources,
      host,
      at: start,
    });
    const isSpark2 = /^[12]\./.test(this.#sparkVersion);
    if (launch.manager === 'yarn' && isSpark2 && !isClusterMode(this.#configuration)) {
      this.note('application-master-inferred');
      const master = { executor: 'application-master', host: '', cores: 1, gpus: 0, profile: 0 };
      this.#applicationMaster({ ...master, at: start, container: undefined });
    }
  }

  #rounded(resources: Resources): Resources {
    const isYarn = this.#launch().manager === 'yarn';
    return isYarn ? roundUpMemory(resources, this.#options.yarnMemoryStepMib ?? 0) : resources;
  }

  #startContainer(started: StartedContainer): void {
    const isPossible = isResources(started.resources);
    if (!isPossible) this.note('implausible-resources');
    const resources = isPossible ? started.resources : NO_RESOURCES;
    this.#facts?.start({ ...started, resources });
    // Hand-edited or wrong clocks: it began after the end of all, and so takes no time.
    if (this.#end === undefined) return;
    if (started.at > this.#end.at) this.note('negative-duration');
    this.#facts?.stop(started.key, this.#end);
  }

  #applicationMaster(master: ExecutorAdded): void {
    // In cluster mode the driver lives in the application master: one container, one row.
    if (isClusterMode(this.#configuration) || this.#facts?.isOpen(master.executor)) return;
    const { executor: key, container, host, at } = master;
    const resources = this.#rounded(applicationMasterResources(this.#configuration));
    this.#startContainer({ key, container, role: 'application-master', resources, host, at });
  }

  #executorAdded(added: ExecutorAdded): void {
    const { executor, at, cores, gpus, host, container } = added;
    if (this.#executors.has(executor)) {
      this.note('executor-added-twice');
      return;
    }
    if (executor === 'driver' && this.#facts?.isOpen('driver')) return;
    const request = this.#profiles.get(added.profile) ?? {};
    const memoryMib = executorMemoryMib(this.#launch(), request);
    const millicores = Math.round(cores * 1000);
    const resources = this.#rounded({ millicores, memoryMib, gpus });
    this.#executors.set(executor, this.#end === undefined ? 'open' : 'closed');
    this.#startContainer({ key: executor, container, role: 'executor', resources, host, at });
    if (this.#end !== undefined) return;
    const slots = Math.floor(cores / taskCpus(this.#configuration, request));
    this.#slots.added(executor, at, Number.isFinite(slots) ? slots : 1);
  }

  #removed(executor: string, end: End): void {
    const state = this.#executors.get(executor);
    if (state === undefined) {
      this.note('executor-never-added');
    } else if (state === 'closed') {
      this.note(this.#end === undefined ? 'executor-removed-twice' : 'event-after-end');
    } else {
      this.#executors.set(executor, 'closed');
      const at = this.#facts?.stop(executor, end) ?? end.at;
      if (at > end.at) this.note('negative-duration');
      this.#slots.removed(executor, at, RELEASED.test(end.reason));
    }
  }

  #over(end: End): void {
    // Old Sparks don't log the executor of local mode; their driver stands in for it.
    if (
      this.#launch().manager === 'local' &&
      this.#executors.size === 0 &&
      this.#start !== undefined
    ) {
      this.#startDriver(this.#start);
    }
    this.#end = end;
    this.note('negative-duration', this.#facts?.stopAll(end) ?? 0);
    for (const [executor, state] of this.#executors) {
      if (state === 'open') this.#executors.set(executor, 'closed');
    }
    if (this.#info === undefined || this.#attribution === undefined) return;
    this.#facts?.applicationEnded(this.#info, this.#attribution, end);
  }
}
