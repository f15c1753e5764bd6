import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { giveToNobody } from './server-process.ts';

const run = promisify(execFile);

/** A disk of few MiB in memory, which a test fills and frees. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async mount(mib: number): Promise<SmallDisk> {
    const path = await mkdtemp(join(tmpdir(), 'tollgate-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=0755`, 'tmpfs', path]);
    } catch (cause) {
      await rm(path, { recursive: true });
      throw new Error('no disk could be mounted; run this test as root, or with CAP_SYS_ADMIN', {
        cause,
      });
    }
    giveToNobody(path);
    return new SmallDisk(path);
  }

  /** Takes all room but so much; again and again, since servers write meanwhile. */
  async fill(leaveBytes = 0): Promise<void> {
    for (let file = 0; ; file += 1) {
      const { bavail, bsize } = await statfs(this.path);
      const bytes = bavail * bsize - leaveBytes;
      if (bytes <= 0) return;
      await run('fallocate', ['-l', `${bytes}`, join(this.path, `filler-${file}`)]).catch(
        () => undefined,
      );
    }
  }

  async free(): Promise<void> {
    const names = await readdir(this.path);
    const fillers = names.filter((name) => name.startsWith('filler-'));
    for (const name of fillers) await rm(join(this.path, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: a server that is just ending may still hold a file open.
    await run('umount', ['-l', this.path]);
    await rm(this.path, { recursive: true, force: true });
  }
}
