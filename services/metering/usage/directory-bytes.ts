import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { BytesReader } from './bytes-reader.ts';

/** Files and folders of one place; more take too long to be walked again and again. */
const ENTRIES_MAX = 1_000_000;

/** A file that goes while the folder is read is no fault: it holds nothing any more. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

interface Walk {
  readonly root: string;
  readonly entriesMax: number;
  entries: number;
  bytes: bigint;
}

async function addFolder(walk: Walk, folder: string, signal: AbortSignal): Promise<string[]> {
  const folders: string[] = [];
  for await (const entry of await opendir(folder)) {
    signal.throwIfAborted();
    walk.entries += 1;
    if (walk.entries > walk.entriesMax) {
      throw new AppError(
        'INPUT_UNREADABLE',
        `${walk.root} has more than ${walk.entriesMax} files; measure its folders apart`,
      );
    }
    const path = join(folder, entry.name);
    if (entry.isDirectory()) folders.push(path);
    else if (entry.isFile()) {
      try {
        walk.bytes += (await lstat(path, { bigint: true })).size;
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  }
  return folders;
}

/** Bytes of the files below a folder; links aren't followed. */
export function directoryBytes(
  { project, path }: { readonly project: ProjectId; readonly path: string },
  { entriesMax = ENTRIES_MAX }: { readonly entriesMax?: number } = {},
): BytesReader {
  return {
    ...{ project, kind: 'stored-bytes', part: `directory:${path}` },
    async read(_now, signal) {
      const walk: Walk = { root: path, entriesMax, entries: 0, bytes: 0n };
      const open = [path];
      for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
        try {
          open.push(...(await addFolder(walk, folder, signal)));
        } catch (error) {
          if (error instanceof AppError || signal.aborted) throw error;
          if (folder !== path && isGone(error)) continue;
          throw new AppError(
            'INPUT_UNREADABLE',
            `${folder} cannot be read; check path and rights`,
            {
              cause: error,
            },
          );
        }
      }
      return walk.bytes;
    },
  };
}
