import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containersConfig } from '../../services/collectors/containers/config.ts';
import { type Containers, startContainers } from '../../services/collectors/containers/start.ts';
import type {
  ApplicationFact,
  ContainerFact,
  LoadFact,
  NodeFact,
} from '../../shared/contracts/container-fact.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { FakeClock } from './fake-clock.ts';
import { MapQuarantine } from './map-quarantine.ts';

interface FactByKind {
  'application-seen': ApplicationFact;
  'application-ended': ApplicationFact;
  'container-started': ContainerFact;
  'container-resized': ContainerFact;
  'container-stopped': ContainerFact;
  'node-started': NodeFact;
  'node-stopped': NodeFact;
  load: LoadFact;
}

type ConfigInput = Parameters<typeof containersConfig.parse>[0];

/** The containers collector on a real journal in a folder of its own, with a clock that stands. */
export class ContainersBench implements AsyncDisposable {
  readonly folder: string;
  readonly ledger: Ledger;
  readonly clock: FakeClock;
  readonly quarantine = new MapQuarantine();
  metrics = new Metrics();
  #running: Containers | undefined;

  private constructor(folder: string, ledger: Ledger, now: Instant) {
    this.folder = folder;
    this.ledger = ledger;
    this.clock = new FakeClock(now);
  }

  static async open(now: Instant): Promise<ContainersBench> {
    const folder = await mkdtemp(join(tmpdir(), 'tollgate-containers-'));
    const ledger = await openLedger({ file: join(folder, 'ledger.db') });
    return new ContainersBench(folder, ledger, now);
  }

  /** Starts it; a second start after `stop` is a restart. */
  async start(config: ConfigInput): Promise<Containers> {
    this.metrics = new Metrics();
    const { clock, quarantine, metrics } = this;
    this.#running = await startContainers({
      config: containersConfig.parse(config),
      journal: this.ledger.journalWriter,
      known: this.ledger.journalReader,
      quarantine,
      clock,
      random: () => 0.5,
      logger: silentLogger,
      metrics,
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    this.#running = undefined;
  }

  /** Sum of a counter or gauge over all labels that hold `label`. */
  value(name: string, label = ''): number {
    let sum = 0;
    for (const [labels, value] of this.metrics.values(name)) {
      if (labels.includes(label)) sum += value;
    }
    return sum;
  }

  /** Lets real I/O go on until the condition holds; the clock stands still meanwhile. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
  }

  /** All facts of these kinds, in the order stored. */
  async facts<K extends keyof FactByKind>(...kinds: readonly K[]): Promise<FactByKind[K][]> {
    const stored = await this.ledger.journalReader.factsAfter(0, 100_000);
    const wanted = new Set<string>(kinds);
    return stored
      .map(({ fact }) => fact)
      .filter((fact): fact is FactByKind[K] => wanted.has(fact.kind));
  }

  async evidence(cluster: string, container: string): Promise<Instant | undefined> {
    const found = await this.ledger.journalReader.containers([{ cluster, container }]);
    return [...found.values()][0]?.evidence;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.ledger[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
