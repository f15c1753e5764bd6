import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tokenStoreSuite } from '../../../test/contracts/token-store-suite.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { issueToken } from '../../tokens/issue-token.ts';
import { openSqliteTokenStore } from './token-store.ts';

tokenStoreSuite('sqlite', () => openSqliteTokenStore({ file: ':memory:' }));

test('a token that another process makes or revokes is seen at once', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'tokens.db');
  await using mine = await openSqliteTokenStore({ file });
  await using theirs = await openSqliteTokenStore({ file });
  const random = (size: number) => Buffer.alloc(size, 7);
  const wanted = { label: '', scopes: ['read'] as const, projects: undefined, createdAt: 1 };
  const { id } = await issueToken({ store: theirs, random }, { ...wanted, expiresAt: undefined });
  assert.equal((await mine.usable(2)).length, 1);
  await theirs.revoke(id, 3);
  assert.equal((await mine.usable(4)).length, 0);
});

test('the file holds the hash of a secret, and nowhere the secret', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'tokens.db');
  const random = (size: number) => Buffer.alloc(size, 0x5a);
  {
    await using store = await openSqliteTokenStore({ file });
    const wanted = { label: 'x', scopes: ['read'] as const, projects: undefined, createdAt: 1 };
    await issueToken({ store, random }, { ...wanted, expiresAt: undefined });
  }
  const bytes = readFileSync(file);
  assert.ok(bytes.includes(random(8).toString('hex')), 'the id is there');
  for (const form of ['hex', 'base64url', 'latin1'] as const) {
    assert.ok(!bytes.includes(random(32).toString(form)), form);
  }
});
