import { fairlyFits } from './fairly-fits.ts';
import { ShareRing, type ShareRingOptions } from './share-ring.ts';

export interface FairQueueOptions extends ShareRingOptions {
  /** Of all that waits. One project holds no more than half, see `fairlyFits`. */
  readonly limitBytes: number;
}

interface Line<T> {
  readonly items: { readonly item: T; readonly bytes: number }[];
  bytes: number;
}

/**
 * What waits for one writer, by project: first in, first out within a project, and by bytes in turn
 * between them. A project that is full is refused while others are not.
 */
export class FairQueue<T> {
  readonly #limit: number;
  readonly #ring: ShareRing;
  readonly #lines = new Map<string, Line<T>>();
  #bytes = 0;

  constructor(options: FairQueueOptions) {
    this.#limit = options.limitBytes;
    this.#ring = new ShareRing(options);
  }

  get bytes(): number {
    return this.#bytes;
  }

  bytesOf(project: string): number {
    return this.#lines.get(project)?.bytes ?? 0;
  }

  /** False when it doesn't fit now. */
  push(project: string, item: T, bytes: number): boolean {
    const own = this.bytesOf(project);
    if (!fairlyFits({ own, held: this.#bytes, limit: this.#limit }, bytes)) return false;
    const line = this.#lines.get(project) ?? { items: [], bytes: 0 };
    line.items.push({ item, bytes });
    line.bytes += bytes;
    this.#bytes += bytes;
    this.#lines.set(project, line);
    this.#ring.join(project);
    return true;
  }

  /** What `shift` gives next. */
  peek(): { readonly project: string; readonly item: T; readonly bytes: number } | undefined {
    const project = this.#ring.next();
    const first = project === undefined ? undefined : this.#lines.get(project)?.items[0];
    return project === undefined || first === undefined ? undefined : { project, ...first };
  }

  shift(): { readonly project: string; readonly item: T; readonly bytes: number } | undefined {
    const found = this.peek();
    const line = found && this.#lines.get(found.project);
    if (found === undefined || line === undefined) return undefined;
    line.items.shift();
    line.bytes -= found.bytes;
    this.#bytes -= found.bytes;
    this.#ring.charge(found.project, found.bytes);
    if (line.items.length === 0) {
      this.#lines.delete(found.project);
      this.#ring.leave(found.project);
    }
    return found;
  }
}
