import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredToken, TokenStore } from '../../shared/stores/token-store.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { T0 } from '../support/fact-builders.ts';

function aToken(id: string, over: Partial<StoredToken> = {}): StoredToken {
  return {
    id,
    secretHash: id.padEnd(64, '0'),
    label: 'a "label" – ünï',
    scopes: ['read', 'ingest'],
    projects: ['etl' as ProjectId, 'ml' as ProjectId],
    createdAt: T0,
    expiresAt: undefined,
    lastUsedAt: undefined,
    revokedAt: undefined,
    ...over,
  };
}

const idsOf = (tokens: readonly StoredToken[]): string[] => tokens.map(({ id }) => id);

/** What every store of tokens does, whatever it is stored in. */
export function tokenStoreSuite(engine: string, open: () => Promise<TokenStore>): void {
  test(`${engine}: a token comes back as it was made, oldest first`, async () => {
    await using store = await open();
    assert.equal(await store.isEmpty(), true);
    const second = aToken('b', { createdAt: T0 + 1, expiresAt: T0 + 9, projects: undefined });
    await store.create(second);
    await store.create(aToken('a'));
    assert.deepEqual(await store.list(), [aToken('a'), second]);
    assert.equal(await store.isEmpty(), false);
  });

  test(`${engine}: an id is given once, and the first stands`, async () => {
    await using store = await open();
    await store.create(aToken('a'));
    await assert.rejects(store.create(aToken('a', { label: 'other' })), { code: 'CONFLICT' });
    assert.deepEqual(await store.list(), [aToken('a')]);
  });

  test(`${engine}: what is revoked or expired is not usable, and stays in the list`, async () => {
    await using store = await open();
    await store.create(aToken('a'));
    await store.create(aToken('b', { expiresAt: T0 + 10 }));
    await store.create(aToken('c'));
    assert.equal(await store.revoke('c', T0 + 5), 'revoked');
    assert.equal(await store.revoke('c', T0 + 7), 'already-revoked');
    assert.equal(await store.revoke('gone', T0), 'unknown');
    assert.deepEqual(idsOf(await store.usable(T0 + 9)), ['a', 'b']);
    assert.deepEqual(idsOf(await store.usable(T0 + 10)), ['a'], 'the end is not part of the time');
    assert.equal((await store.list()).find(({ id }) => id === 'c')?.revokedAt, T0 + 5);
  });

  test(`${engine}: the last use moves ahead only, of tokens that are there`, async () => {
    await using store = await open();
    await store.create(aToken('a'));
    await store.create(aToken('b'));
    await store.used(new Map());
    await store.used(new Map([['a', T0 + 5]]));
    await store.used(
      new Map([
        ['a', T0 + 3],
        ['gone', T0 + 9],
      ]),
    );
    const uses = (await store.list()).map(({ id, lastUsedAt }) => [id, lastUsedAt]);
    assert.deepEqual(uses, [
      ['a', T0 + 5],
      ['b', undefined],
    ]);
  });
}
