import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { allOn, switchOfFile, switchOfWord } from './read-switch.ts';

test('a word turns it off, and so does one that is not understood', () => {
  const on = [undefined, '', 'on', 'ON'].map((word) => switchOfWord('X', word).on);
  assert.deepEqual(on, [true, true, true, true]);
  const off = ['off', 'OFF', '0', 'false', 'no', 'offf', 'ja'].map((word) =>
    switchOfWord('X', word),
  );
  assert.ok(off.every((one) => !one.on));
  assert.equal(switchOfWord('X', 'secret?').why, 'X=neither on nor off');
});

test('a file turns it off by being there, and where that cannot be told', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'enforcement-off');
  assert.equal((await switchOfFile(file)).on, true);
  await writeFile(file, 'on');
  assert.match((await switchOfFile(file)).why, /is there/);
  assert.match((await switchOfFile(join(file, 'below'))).why, /ENOTDIR/);
});

test('any one that is off turns all off', () => {
  const off = { on: false, why: 'a' };
  assert.deepEqual(allOn([{ on: true, why: '' }, off, { on: false, why: 'b' }]), {
    on: false,
    why: 'a; b',
  });
  assert.equal(allOn([{ on: true, why: '' }]).on, true);
});
