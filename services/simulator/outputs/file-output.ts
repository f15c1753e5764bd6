import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SimApplication, SimEvent } from '../platform/sim-event.ts';
import { eventLogLines } from './event-log-lines.ts';
import { logLines } from './log-lines.ts';

/** YARN removes an application's log folders some time after its end. */
const LOGS_REMOVED_AFTER_MS = 30 * 60_000;

interface Placement {
  readonly nodes: Map<string, string>;
  readonly containers: Map<string, string>;
}

/** Where applications leave their files, by cluster. */
export interface OutputFolders {
  readonly eventLogs: (cluster: string) => string;
  /** Container logs below `<folder>/<application>/<container>/stderr`. */
  readonly logs: (cluster: string) => string;
}

/** Writes event logs and container logs as Spark does: appended, event logs renamed at the end. */
export class FileOutput {
  readonly #folders: OutputFolders;
  readonly #placements = new Map<string, Placement>();
  readonly #removals: { at: number; folder: string }[] = [];

  constructor(folders: OutputFolders) {
    this.#folders = folders;
  }

  /** Appends everything these events add; one write for each file. */
  async write(events: readonly SimEvent[], now: number): Promise<void> {
    const texts = new Map<string, string[]>();
    const append = (file: string, text: string): void => {
      const parts = texts.get(file) ?? [];
      texts.set(file, parts);
      parts.push(text);
    };
    for (const event of events) this.#render(event, append);
    for (const [file, parts] of texts) {
      await mkdir(dirname(file), { recursive: true });
      await using handle = await open(file, 'a');
      await handle.writeFile(parts.join(''));
    }
    for (const event of events) if (event.kind === 'application-ended') await this.#end(event);
    await this.#removeOldLogs(now);
  }

  #eventLog(app: SimApplication): string {
    const yarn = app.workload.cluster === 'yarn-main';
    const name = yarn ? `${app.id}_${app.attempt}` : app.id;
    return join(this.#folders.eventLogs(app.workload.cluster), name);
  }

  #placement(app: SimApplication): Placement {
    let placement = this.#placements.get(app.id);
    if (placement === undefined) {
      const yarn = app.workload.cluster === 'yarn-main';
      const driver = yarn ? `container_${app.id.slice('application_'.length)}_01_000001` : 'driver';
      placement = { nodes: new Map(), containers: new Map([['driver', driver]]) };
      this.#placements.set(app.id, placement);
    }
    return placement;
  }

  #render(event: SimEvent, append: (file: string, text: string) => void): void {
    const { app } = event;
    const placement = this.#placement(app);
    if (event.kind === 'executor-added') {
      const yarn = app.workload.cluster === 'yarn-main';
      placement.nodes.set(event.executor.id, event.executor.node);
      placement.containers.set(
        event.executor.id,
        yarn ? event.executor.container : event.executor.id,
      );
    }
    const lines = eventLogLines(event, {
      driverNode: 'edge-01',
      driverContainer: placement.containers.get('driver') ?? 'driver',
      nodeOf: (executor) => placement.nodes.get(executor) ?? 'unknown',
    });
    const log = `${this.#eventLog(app)}.inprogress`;
    for (const line of lines) append(log, `${JSON.stringify(line)}\n`);
    for (const { executor, text } of logLines(event)) {
      const container = placement.containers.get(executor) ?? executor;
      const folder = this.#folders.logs(app.workload.cluster);
      append(join(folder, app.id, container, 'stderr'), text);
    }
  }

  async #end(event: SimEvent): Promise<void> {
    const { app, at } = event;
    const log = this.#eventLog(app);
    await rename(`${log}.inprogress`, log);
    this.#placements.delete(app.id);
    const folder = join(this.#folders.logs(app.workload.cluster), app.id);
    this.#removals.push({ at: at + LOGS_REMOVED_AFTER_MS, folder });
  }

  async #removeOldLogs(now: number): Promise<void> {
    while (this.#removals[0] !== undefined && this.#removals[0].at <= now) {
      const removal = this.#removals.shift();
      if (removal !== undefined) await rm(removal.folder, { recursive: true, force: true });
    }
  }
}
