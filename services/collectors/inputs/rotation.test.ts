import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { TailReader } from '../../../test/support/tail-reader.ts';

const line = (n: number): string => `26/11/21 07:00:${String(n % 60).padStart(2, '0')} line ${n}\n`;
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => line(from + i)).join('');

type Action = 'append' | 'rename' | 'copytruncate' | 'compress' | 'restart' | 'read' | 'step';

test('any order of appends, rotations and kills gives every line exactly once, in order', async () => {
  const action = fc.constantFrom<Action>(
    'append',
    'append',
    'append',
    'rename',
    'copytruncate',
    'compress',
    'restart',
    'read',
    'step',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const folder = mkdtempSync(join(tmpdir(), 'rotation-'));
      const path = join(folder, 'x.log');
      let n = 0;
      const next = (count: number): string => {
        n += count;
        return lines(n - count, n);
      };
      writeFileSync(path, next(1));
      const shift = (): void => {
        for (const end of ['', '.gz']) {
          for (let i = 20; i >= 1; i -= 1) {
            const from = `${path}.${i}${end}`;
            if (existsSync(from)) renameSync(from, `${path}.${i + 1}${end}`);
          }
        }
      };
      const reader = new TailReader(folder, 'x.log', { chunkBytes: 700 });
      for (const what of actions) {
        if (what === 'append') appendFileSync(path, next(30));
        // A rotation that is undone by the next before anybody reads can't be put in order.
        if (what === 'rename') {
          shift();
          renameSync(path, `${path}.1`);
          writeFileSync(path, next(1));
          await reader.settle();
        }
        if (what === 'copytruncate') {
          shift();
          copyFileSync(path, `${path}.1`);
          truncateSync(path, 0);
          appendFileSync(path, next(1));
          await reader.settle();
        }
        if (what === 'compress') {
          if (existsSync(`${path}.1`)) {
            writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(`${path}.1`)));
            unlinkSync(`${path}.1`);
          }
        }
        if (what === 'restart') await reader.restart();
        if (what === 'read') await reader.settle();
        if (what === 'step') {
          appendFileSync(path, next(1));
          await reader.one();
        }
      }
      await reader.settle();
      assert.equal(reader.text.get('x.log'), lines(0, n));
      await reader.close();
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 60 },
  );
});
