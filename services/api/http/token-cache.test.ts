import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { storesConfig } from '../../../shared/stores/config.ts';
import { openTokenStore } from '../../../shared/stores/open-stores.ts';
import type { TokenStore } from '../../../shared/stores/token-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { issueToken } from '../../../shared/tokens/issue-token.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { TOKEN_REFRESH_MS, TOKEN_STALE_MS, TokenCache } from './token-cache.ts';

interface Bench extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly store: TokenStore;
  readonly cache: TokenCache;
  /** The store stops answering, or answers again. */
  broken: boolean;
  /** How often the store was asked for its tokens. */
  readonly reads: () => number;
  issue(): Promise<string>;
}

async function bench(): Promise<Bench> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const inner = resources.use(
    await openTokenStore({ dataFolder: folder.path, process: '', stores: storesConfig.parse({}) }),
  );
  const clock = new FakeClock();
  const state = { broken: false, reads: 0 };
  const store: TokenStore = {
    create: (token) => inner.create(token),
    list: () => inner.list(),
    isEmpty: () => inner.isEmpty(),
    revoke: (id, at) => inner.revoke(id, at),
    used: (uses) => inner.used(uses),
    async usable(now) {
      state.reads += 1;
      if (state.broken) throw new Error('the store is away');
      return inner.usable(now);
    },
    async [Symbol.asyncDispose]() {},
  };
  const cache = resources.use(await TokenCache.open({ store, clock, logger: silentLogger }));
  const open = resources.move();
  return {
    ...{ clock, store, cache },
    get broken() {
      return state.broken;
    },
    set broken(broken) {
      state.broken = broken;
    },
    reads: () => state.reads,
    async issue() {
      const wanted = { label: '', scopes: ['read'] as const, projects: undefined };
      const times = { createdAt: clock.now(), expiresAt: undefined };
      return (await issueToken({ store, random: randomBytes }, { ...wanted, ...times })).id;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

test('a token is known without waiting, and gone soon after it is revoked', async () => {
  await using at = await bench();
  const id = await at.issue();
  await at.clock.advance(TOKEN_REFRESH_MS);
  const found = at.cache.find(id);
  assert.ok(found !== undefined && !(found instanceof Promise) && found.id === id);
  await at.store.revoke(id, at.clock.now());
  await at.clock.advance(TOKEN_REFRESH_MS);
  assert.equal(at.cache.find(id), undefined);
});

test('a token that was just made is found, and strangers ask the store seldom', async () => {
  await using at = await bench();
  const id = await at.issue();
  await at.clock.advance(300);
  assert.equal((await at.cache.find(id))?.id, id);
  const before = at.reads();
  for (let i = 0; i < 50; i += 1) assert.equal(await at.cache.find('stranger'), undefined);
  assert.equal(at.reads(), before);
  await at.clock.advance(300);
  await Promise.all(Array.from({ length: 50 }, () => at.cache.find('stranger')));
  assert.equal(at.reads(), before + 1, 'all of them wait for one answer');
});

test('tokens are believed for a time while their store is away, then nobody is let in', async () => {
  await using at = await bench();
  const id = await at.issue();
  await at.clock.advance(TOKEN_REFRESH_MS);
  at.broken = true;
  await at.clock.advance(TOKEN_STALE_MS - 1_000);
  assert.equal((await at.cache.find(id))?.id, id);
  await at.clock.advance(3_000);
  await assert.rejects(async () => at.cache.find(id), { code: 'STORE_UNAVAILABLE' });
  at.broken = false;
  assert.equal((await at.cache.find(id))?.id, id, 'asked again, it answers');
});

test('the last use is written about once a minute, and at the end', async () => {
  await using at = await bench();
  const id = await at.issue();
  await at.clock.advance(TOKEN_REFRESH_MS);
  const lastUse = async () => (await at.store.list())[0]?.lastUsedAt;
  at.cache.noteUse(id);
  const usedAt = at.clock.now();
  await at.clock.advance(50_000);
  assert.equal(await lastUse(), undefined);
  await at.clock.advance(12_000);
  assert.equal(await lastUse(), usedAt);
  at.cache.noteUse(id);
  const again = at.clock.now();
  await at.cache[Symbol.asyncDispose]();
  assert.equal(await lastUse(), again);
});

test('revoking the last token does not make the store an empty one', async () => {
  await using at = await bench();
  assert.equal(at.cache.isEmpty, true);
  const id = await at.issue();
  await at.store.revoke(id, at.clock.now());
  await at.clock.advance(TOKEN_REFRESH_MS);
  assert.equal(at.cache.isEmpty, false);
});
