import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { allEndpoints } from '../../../services/api/http/all-endpoints.ts';
import { TOKEN_SCOPES } from '../../../shared/stores/token-store.ts';
import { type GuardedApi, type GuardedOperation, guardedApi } from '../../support/guarded-api.ts';
import { problemOf } from '../../support/problem-of.ts';

const nameOf = ({ method, path }: GuardedOperation): string => `${method} ${path}`;

/** A minute, in which an address earns its attempts again. */
const forgive = (api: GuardedApi): Promise<void> => api.clock.advance(60_000);

async function refused(response: Response, name: string): Promise<string> {
  const problem = await problemOf(response, 401);
  assert.equal(problem.code, 'UNAUTHENTICATED', name);
  return response.headers.get('www-authenticate') ?? '';
}

test('every endpoint is in the description, with the scope that it needs', async () => {
  await using api = await guardedApi();
  const described = new Map(api.operations.map((one) => [nameOf(one), one.scope]));
  for (const { method, path, scope } of allEndpoints(api.deps)) {
    assert.equal(described.get(`${method.toUpperCase()} ${path}`), scope, path);
  }
  for (const collector of ['logs', 'metrics', 'progress', 'containers', 'heartbeats']) {
    assert.equal(described.get(`POST /v1/ingest/${collector}`), 'ingest');
  }
  assert.ok(described.size >= 23);
});

test('no endpoint answers without a token, or with one that is not good', async () => {
  await using api = await guardedApi();
  const good = await api.token(['admin']);
  const expired = await api.token(['admin'], { expiresAt: api.clock.now() + 1_000 });
  const revoked = await api.token(['admin']);
  await api.tokens.revoke(revoked.split('_')[1] ?? '', api.clock.now());
  await forgive(api);
  const bad = {
    malformed: 'secret',
    unknown: `tg_${'0'.repeat(16)}_${'A'.repeat(43)}`,
    'wrong secret': `${good.slice(0, 20)}${'A'.repeat(43)}`,
    ...{ expired, revoked },
  };
  for (const operation of api.operations) {
    const name = nameOf(operation);
    assert.equal(await refused(await api.ask(operation), name), 'Bearer realm="tollgate"');
    for (const [kind, token] of Object.entries(bad)) {
      const challenge = await refused(await api.ask(operation, { token }), `${name}: ${kind}`);
      assert.equal(challenge, 'Bearer realm="tollgate", error="invalid_token"', kind);
    }
    await forgive(api);
  }
});

test('every endpoint answers for its scope and for admin, and for no other', async () => {
  await using api = await guardedApi();
  const tokens = new Map<string, string>();
  for (const scope of TOKEN_SCOPES) tokens.set(scope, await api.token([scope]));
  for (const operation of api.operations) {
    for (const [scope, token] of tokens) {
      const name = `${nameOf(operation)} with ${scope}`;
      const response = await api.ask(operation, { token });
      const fits = [undefined, scope].includes(operation.scope) || scope === 'admin';
      // The whole quarantine is for administrators.
      const isMore = operation.path === '/v1/quarantine' && scope === 'read';
      if (fits && !isMore) {
        assert.ok(response.ok || response.status === 404, `${name}: ${await response.text()}`);
        continue;
      }
      assert.equal((await problemOf(response, 403)).code, 'FORBIDDEN', name);
      const wanted = isMore ? 'admin' : operation.scope;
      const challenge = `Bearer realm="tollgate", error="insufficient_scope", scope="${wanted}"`;
      assert.equal(response.headers.get('www-authenticate'), challenge, name);
    }
  }
  assert.equal(api.pushed.length, 8, 'four collectors, ingest and admin');
});

test('a token of another project finds what is not there, in the same words', async () => {
  await using api = await guardedApi();
  const token = await api.token(['admin'], { projects: ['ml'] });
  for (const operation of api.operations) {
    const name = nameOf(operation);
    const foreign = await api.ask(operation, { token, project: 'etl' });
    const nothing = await api.ask(operation, { token, project: 'nix' });
    const [seen, unseen] = [await foreign.text(), await nothing.text()];
    assert.equal(foreign.status, nothing.status, name);
    assert.equal(seen.replaceAll('etl', '*'), unseen.replaceAll('nix', '*'), name);
    assert.ok(!seen.includes('of etl') && !seen.includes('"id":"etl"'), `${name}: ${seen}`);
    if (operation.path.includes('{project}')) assert.equal(foreign.status, 404, name);
  }
  assert.equal(api.pushed.length, 0);
  assert.equal((await api.stores.grants.grants('etl' as never)).length, 1, 'nothing was granted');
});

test('a token of a project does there what its scope allows', async () => {
  await using api = await guardedApi();
  const token = await api.token(['admin'], { projects: ['ml'] });
  for (const operation of api.operations) {
    const response = await api.ask(operation, { token, project: 'ml' });
    const text = await response.text();
    const forAll = [
      'POST /v1/quarantine/replay',
      'POST /v1/prices/{pool}/freezes',
      'POST /v1/replays',
      ...['GET /v1/alerts', 'GET /v1/alert-rules', 'GET /v1/silences', 'POST /v1/silences'],
      ...['GET /v1/enforcement', 'GET /v1/enforcement/actions', 'POST /v1/enforcement/switch'],
      ...['POST /v1/enforcement/levels', 'POST /v1/enforcement/brake-releases'],
      'POST /v1/enforcement/exemptions',
      'POST /v1/enforcement/exemptions/{id}/revocation',
      'POST /v1/enforcement/actions/{id}/resolution',
      'POST /v1/periods/{month}/close',
      'GET /v1/clusters/{cluster}/where',
    ];
    const isForAll = forAll.includes(nameOf(operation));
    const missing = /\/\{(application|cluster|id)\}/.test(operation.path);
    const status = isForAll ? 403 : missing ? 404 : response.ok ? response.status : 200;
    assert.equal(response.status, status, `${nameOf(operation)}: ${text}`);
    assert.ok(!text.includes('etl'), `${nameOf(operation)}: ${text}`);
  }
  const only = api.pushed.map(({ project, onlyProjects }) => [project, onlyProjects]);
  assert.deepEqual(only, Array(4).fill(['ml', ['ml']]));
});

test('no other spelling of an address gets around the doors', async () => {
  await using api = await guardedApi();
  const { port, host } = new URL(api.url);
  const lines = [
    'GET /V1/projects',
    'GET /v1/projects/',
    'GET //v1/projects',
    'GET /%76%31/projects',
    'GET /./v1/projects',
    'GET /x/../v1/projects',
    `GET http://${host}/v1/projects`,
    'HEAD /v1/projects',
    'POST /v1/quota-checks?x=1',
    'POST /v1/quota-checks/',
    'POST /V1/QUOTA-CHECKS',
    'POST /V1/Ingest/logs',
    'GET /v1/openapi.json',
    'GET /v1/nothing',
  ];
  for (const line of lines) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    assert.match(answer, /^HTTP\/1\.1 (401|404) /, line);
  }
  assert.equal(api.pushed.length, 0);
});

test('health and the page itself are open; metrics are on loopback', async () => {
  await using api = await guardedApi();
  for (const path of ['/livez', '/readyz', '/', '/main.js', '/metrics']) {
    assert.equal((await fetch(api.url + path)).status, 200, path);
  }
});

test('many wrong tokens make an address wait, but not who was right there before', async () => {
  await using api = await guardedApi();
  const known = await api.token(['admin']);
  const other = await api.token(['admin']);
  const [status] = api.operations.filter(({ path }) => path === '/v1/status');
  const ask = (token: string) => api.ask(status as GuardedOperation, { token });
  assert.equal((await ask(known)).status, 200);
  for (let i = 0; i < 10; i += 1) assert.equal((await ask(`wrong ${i}`)).status, 401);
  const late = await ask(other);
  assert.equal(late.headers.get('retry-after'), '6');
  assert.equal((await problemOf(late, 429)).code, 'OVERLOADED');
  assert.equal((await ask(known)).status, 200);
  assert.equal((await ask(`${known.slice(0, 20)}${'A'.repeat(43)}`)).status, 401);
  await api.clock.advance(6_000);
  assert.equal((await ask(other)).status, 200);
  const counted = [...api.metrics.values('tollgate_sign_in_refused_total')];
  assert.deepEqual(counted, [
    ['{reason="malformed"}', 10],
    ['{reason="too-many"}', 1],
    ['{reason="wrong-secret"}', 1],
  ]);
});

test('a revoked token is refused within two seconds', async () => {
  await using api = await guardedApi();
  const token = await api.token(['read']);
  const ask = () =>
    fetch(`${api.url}/v1/status`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await ask()).status, 200);
  await api.tokens.revoke(token.split('_')[1] ?? '', api.clock.now());
  await api.clock.advance(2_000);
  assert.equal((await ask()).status, 401);
});

test('no token, right or wrong, is in a log, a metric or an answer', async () => {
  await using api = await guardedApi();
  const right = await api.token(['admin']);
  const wrong = `tg_${'1'.repeat(16)}_${'Z'.repeat(43)}`;
  const link = api.doors.adminLink ?? assert.fail('nobody has a token yet, so there is a link');
  let answers = '';
  for (const token of [right, wrong]) {
    for (const operation of api.operations) {
      const response = await api.ask(operation, { token });
      answers += (await response.text()) + JSON.stringify([...response.headers]);
      // Only for wrong ones, and no longer than one of them needs: the link lasts an hour.
      if (token === wrong) await api.clock.advance(10_000);
    }
  }
  const signIn = (body: object) => api.post('/v1/session', body);
  for (const body of [{ token: right }, { token: wrong }, { link }, { link }, { link: wrong }]) {
    answers += await (await signIn(body)).text();
  }
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  assert.match(api.logged(), /the one-time admin link was used/, 'the log was caught');
  for (const secret of [right.slice(20), 'Z'.repeat(43), link]) {
    for (const [where, text] of Object.entries({ log: api.logged(), metrics, answers })) {
      assert.ok(!text.includes(secret), where);
    }
  }
});
