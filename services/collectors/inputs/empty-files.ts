const NEW_MS = 3_000;

/** Empty files of known streams: after a rotation the next file is empty for a moment. */
export class EmptyFiles {
  /** When each was first seen, by its inode. */
  readonly #since = new Map<string, number>();

  /** True while it is new, so that the next scan shouldn't be a second away. */
  isNew(inode: string, elapsed: number): boolean {
    const since = this.#since.get(inode) ?? elapsed;
    this.#since.set(inode, since);
    return elapsed - since < NEW_MS;
  }

  /** Forgets those that aren't empty any more. */
  keep(isEmpty: (inode: string) => boolean): void {
    for (const inode of this.#since.keys()) if (!isEmpty(inode)) this.#since.delete(inode);
  }
}
