import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restSession } from '../../../shared/contracts/rest.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { type GuardedApi, guardedApi } from '../../support/guarded-api.ts';
import { problemOf } from '../../support/problem-of.ts';
import { runningApi } from '../../support/running-api.ts';

/** The cookie that an answer sets, without what stands behind it. */
function cookieOf(response: Response): string {
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

async function session(api: GuardedApi, cookie: string): Promise<Response> {
  return fetch(`${api.url}/v1/session`, { headers: { cookie } });
}

test('a token is kept in a cookie that no script and no other site gets', async () => {
  await using api = await guardedApi();
  const token = await api.token(['read'], { label: 'wall', projects: ['ml'] });
  const response = await api.post('/v1/session', { token });
  assert.equal(response.status, 200);
  const attributes = response.headers.get('set-cookie')?.split('; ').slice(1);
  assert.deepEqual(attributes, ['Path=/', 'Max-Age=604800', 'HttpOnly', 'SameSite=Strict']);
  const told = restSession.strict().parse(await (await session(api, cookieOf(response))).json());
  assert.deepEqual(told, {
    ...{ required: true, label: 'wall', scopes: ['read'], projects: ['ml'], expiresAt: null },
  });
});

test('the cookie ends with its token', async () => {
  await using api = await guardedApi();
  const token = await api.token(['read'], { expiresAt: api.clock.now() + HOUR_MS });
  const response = await api.post('/v1/session', { token });
  assert.match(response.headers.get('set-cookie') ?? '', /Max-Age=3598;/);
});

test('a cookie that is no longer good is taken back', async () => {
  await using api = await guardedApi();
  const token = await api.token(['read']);
  const cookie = cookieOf(await api.post('/v1/session', { token }));
  await api.tokens.revoke(token.split('_')[1] ?? '', api.clock.now());
  await api.clock.advance(2_000);
  const refused = await session(api, cookie);
  assert.match(refused.headers.get('set-cookie') ?? '', /^tollgate=; .*Max-Age=0/);
  await problemOf(refused, 401);
});

test('signing out forgets the cookie, also of who is not signed in', async () => {
  await using api = await guardedApi();
  const response = await fetch(`${api.url}/v1/session`, { method: 'DELETE' });
  assert.equal(response.status, 204);
  assert.match(response.headers.get('set-cookie') ?? '', /Max-Age=0/);
});

test('a wrong token signs nobody in, and a body that is none is told its problems', async () => {
  await using api = await guardedApi();
  const wrong = await api.post('/v1/session', { token: 'tg_x' });
  assert.equal(wrong.headers.get('set-cookie'), null);
  await problemOf(wrong, 401);
  for (const body of [{}, { token: '' }, { token: 'a', link: 'b' }, { tokens: 'a' }]) {
    await problemOf(await api.post('/v1/session', body), 400);
  }
  const method = 'POST';
  const form = await fetch(`${api.url}/v1/session`, { method, body: 'token=tg_x' });
  await problemOf(form, 415);
});

test('another site can neither sign in nor use the cookie of who did', async () => {
  await using api = await guardedApi();
  const token = await api.token(['admin']);
  const cookie = cookieOf(await api.post('/v1/session', { token }));
  const headers = { cookie, origin: 'http://evil.example', 'content-type': 'application/json' };
  for (const path of ['/v1/session', '/v1/projects/etl/grants', '/v1/quota-checks']) {
    const body = JSON.stringify({ token });
    const response = await fetch(api.url + path, { method: 'POST', body, headers });
    assert.equal((await problemOf(response, 403)).code, 'FORBIDDEN', path);
  }
});

test('the one-time link makes an administrator, once', async () => {
  await using api = await guardedApi();
  const link = api.doors.adminLink ?? assert.fail('nobody has a token, so there is a link');
  const opened = await fetch(`${api.url}/?admin-link=${link}`);
  assert.equal(opened.headers.get('set-cookie'), null, 'a GET does nothing');
  const first = await api.post('/v1/session', { link });
  const told = restSession.parse(await first.json());
  assert.deepEqual(told.scopes, ['admin']);
  assert.equal(told.expiresAt, new Date(api.clock.now() + 12 * HOUR_MS).toISOString());
  const cookie = cookieOf(first);
  const grants = await fetch(`${api.url}/v1/projects/etl/grants`, { headers: { cookie } });
  assert.equal(grants.status, 200);
  const again = await problemOf(await api.post('/v1/session', { link }), 401);
  assert.match(again.detail, /start Tollgate again/);
});

test('the link ends within the hour, and is not there where an administrator has a token', async () => {
  await using api = await guardedApi();
  const link = api.doors.adminLink ?? assert.fail('nobody has a token, so there is a link');
  await api.clock.jump(HOUR_MS);
  await problemOf(await api.post('/v1/session', { link }), 401);
});

test('on loopback nobody signs in until the first token is made', async () => {
  await using api = await runningApi();
  assert.equal(api.doors.adminLink, undefined);
  const ask = () => fetch(`${api.url}/v1/projects`, { headers: { authorization: 'Bearer odd' } });
  assert.equal((await ask()).status, 200);
  const { required } = await api.get('/v1/session', restSession);
  assert.equal(required, false);
  const token = await api.token(['read']);
  assert.equal((await ask()).status, 401);
  await api.tokens.revoke(token.split('_')[1] ?? '', api.clock.now());
  await api.clock.advance(2_000);
  assert.equal((await ask()).status, 401, 'revoking the last one opens nothing');
});
