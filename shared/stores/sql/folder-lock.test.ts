import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { AppError } from '../../errors/app-error.ts';
import { lockFolder } from './folder-lock.ts';

function temporary(): { folder: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-lock-'));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

test('a folder is held by one at a time and free again when released', () => {
  using place = temporary();
  {
    using _held = lockFolder(place.folder);
    assert.throws(
      () => lockFolder(place.folder),
      (error) => error instanceof AppError && error.code === 'CONFLICT',
    );
  }
  lockFolder(place.folder)[Symbol.dispose]();
});

test('a process that is killed releases its folder', () => {
  using place = temporary();
  const script = `
    import { lockFolder } from ${JSON.stringify(import.meta.resolve('./folder-lock.ts'))};
    lockFolder(${JSON.stringify(place.folder)});
    process.kill(process.pid, 'SIGKILL');`;
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(signal, 'SIGKILL');
  lockFolder(place.folder)[Symbol.dispose]();
});

test('a folder that does not exist is an error that names the file', () => {
  assert.throws(() => lockFolder('/nonexistent'), /nonexistent\/lock\.db/);
});
