import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import { type FilePosition, parseFilePosition } from './file-position.ts';

export interface KnownPosition {
  readonly source: string;
  readonly position: FilePosition;
}

/** Positions from before the start that no file was found for yet. */
export class KnownPositions {
  readonly #bySource = new Map<string, KnownPosition>();
  readonly #byInode = new Map<string, KnownPosition[]>();
  readonly #byStream = new Map<string, KnownPosition[]>();

  readonly #prefix: string;

  constructor(prefix: string, checkpoints: readonly Checkpoint[]) {
    this.#prefix = prefix;
    this.add(checkpoints);
  }

  /** Those whose source doesn't begin with the prefix are none. */
  add(checkpoints: readonly Checkpoint[]): void {
    const prefix = this.#prefix;
    for (const { source, position } of checkpoints) {
      if (!source.startsWith(prefix)) continue;
      const parsed = parseFilePosition(position);
      if (parsed === undefined) continue;
      const known = { source, position: parsed };
      const inode = source.slice(prefix.length).split('|', 1)[0] ?? '';
      this.#bySource.set(source, known);
      this.#byInode.set(inode, [...(this.#byInode.get(inode) ?? []), known]);
      this.#byStream.set(parsed.stream, [...(this.#byStream.get(parsed.stream) ?? []), known]);
    }
  }

  get size(): number {
    return this.#bySource.size;
  }

  /** What isn't read here any more has no position here. */
  forgetUnless(isKept: (stream: string) => boolean): void {
    for (const { source, position } of this.#bySource.values()) {
      if (!isKept(position.stream)) this.#bySource.delete(source);
    }
  }

  has(source: string): boolean {
    return this.#bySource.has(source);
  }

  ofInode(inode: string): KnownPosition[] {
    return (this.#byInode.get(inode) ?? []).filter(({ source }) => this.#bySource.has(source));
  }

  ofStream(stream: string): KnownPosition[] {
    return (this.#byStream.get(stream) ?? []).filter(({ source }) => this.#bySource.has(source));
  }

  take(source: string): void {
    this.#bySource.delete(source);
  }

  all(): KnownPosition[] {
    return [...this.#bySource.values()];
  }
}
