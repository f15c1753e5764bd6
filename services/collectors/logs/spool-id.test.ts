import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { spoolId } from './spool-id.ts';

test('a spool keeps its name, and another folder has another one', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'spool-id-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const id = spoolId(folder, () => 0.5);
  assert.equal(id, '8888888888888888');
  assert.equal(
    spoolId(folder, () => 0.1),
    id,
  );
  assert.notEqual(
    spoolId(join(folder, 'other'), () => 0.1),
    id,
  );
});

test('a name that a crash left half written is made anew', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'spool-id-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'id'), '88');
  assert.equal(
    spoolId(folder, () => 0),
    '0000000000000000',
  );
});
