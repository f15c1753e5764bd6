import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { LedgerReader } from '../../../shared/stores/ledger-reader.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const WEB = join(import.meta.dirname, '../../../services/web');

/** The status of a request whose path and headers fetch would tidy up. */
function rawStatus(
  api: AskingApi,
  options: { readonly path: string; readonly headers?: Readonly<Record<string, string>> },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.url);
    const { path, headers = {} } = options;
    request({ hostname, port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

/** A ledger of which every read fails with this. */
function brokenLedger(error: unknown): LedgerReader {
  const fail = () => Promise.reject(error);
  return { projects: fail, runningCounts: fail, balance: fail } as unknown as LedgerReader;
}

test('another method is answered 405 and told which there are', async () => {
  await using api = await askingApi();
  for (const [path, method, allow] of [
    ['/v1/projects', 'POST', 'GET, HEAD'],
    ['/v1/projects/a', 'DELETE', 'GET, HEAD'],
    ['/v1/projects/a/grants', 'PUT', 'GET, HEAD, POST'],
    ['/v1/quota-checks', 'GET', 'POST'],
    ['/v1/quarantine/replay', 'GET', 'POST'],
    ['/v1/status', 'OPTIONS', 'GET, HEAD'],
  ] as const) {
    const response = await api.ask(path, { method });
    assert.equal(response.headers.get('allow'), allow);
    const problem = await api.problem(response);
    assert.equal(problem.code, 'METHOD_NOT_ALLOWED', `${method} ${path}`);
  }
});

test('an address that there is not is a problem that names it, below /v1 and beside', async () => {
  await using api = await askingApi();
  for (const path of ['/v1', '/v1/nothing', '/v2/projects', '/nothing.html', '/v1/projects/a/b']) {
    const problem = await api.problem(api.ask(path));
    assert.deepEqual([problem.code, problem.instance], ['NOT_FOUND', path]);
  }
});

test('the headers of a GET come without its body for HEAD', async () => {
  await using api = await askingApi();
  const response = await api.ask('/v1/status', { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '');
});

test('a body that is no JSON, too large, or of another type is refused', async () => {
  await using api = await askingApi();
  const grants = '/v1/projects/team-a/grants';
  const post = (body: string, type: string) =>
    api.problem(api.ask(grants, { method: 'POST', body, headers: { 'content-type': type } }));
  const body = JSON.stringify({ id: 'g', credits: '1' });
  assert.equal((await post('{"id":', 'application/json')).code, 'BAD_REQUEST');
  assert.equal((await post('"text"', 'application/json')).code, 'BAD_REQUEST');
  const large = await post(body.padEnd(70_000), 'application/json');
  assert.equal(large.code, 'PAYLOAD_TOO_LARGE');
  assert.match(large.detail, /65536 bytes/);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    assert.equal((await post(body, type)).code, 'UNSUPPORTED_MEDIA', type);
  }
  assert.equal((await post(body, 'application/json; charset=x')).code, 'UNSUPPORTED_MEDIA');
  const none = await post('', 'application/json');
  assert.equal(none.code, 'BAD_REQUEST');
  assert.equal(
    (await api.problem(api.ask('/v1/projects/team-a'))).status,
    404,
    'nothing was given',
  );
});

test('a body with thousands of wrong names gets a short answer', async () => {
  await using api = await askingApi();
  const names = Array.from({ length: 5_000 }, (_, i) => [`n${i}`, 1]);
  const response = await api.post('/v1/projects/a/grants', Object.fromEntries(names));
  assert.ok(Number(response.headers.get('content-length')) < 20_000);
  assert.ok(((await api.problem(response)).errors?.length ?? 0) <= 50);
});

test('names of JavaScript’s own objects are names like any other', async () => {
  await using api = await askingApi();
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const problem = await api.problem(api.ask(`/v1/status?${name}=1`));
    assert.deepEqual(
      problem.errors?.map(({ path }) => path),
      [`query.${name}`],
    );
    const body = `{"id":"g","credits":"1","${name}":{"x":1}}`;
    assert.equal((await api.problem(api.post('/v1/projects/a/grants', body))).status, 400, name);
  }
});

test('an unexpected error is in the log and nowhere else', async () => {
  const logged: unknown[][] = [];
  const logger = { error: (...line: unknown[]) => void logged.push(line) } as never;
  await using api = await askingApi({
    deps: { ledger: brokenLedger(new TypeError('secret of line 7')) },
    parts: { logger },
  });
  const response = await api.ask('/v1/projects');
  const text = await response.clone().text();
  assert.equal((await api.problem(response)).code, 'INTERNAL');
  assert.doesNotMatch(text, /secret|TypeError|\.ts|\bat /);
  assert.match(JSON.stringify(logged), /secret of line 7.*http.test.ts/);
});

test('a store that does not answer is 503 with a time to try again', async () => {
  const error = new AppError('STORE_UNAVAILABLE', 'the ledger does not answer', {
    details: { retryAfterMs: 2_500 },
  });
  await using api = await askingApi({ deps: { ledger: brokenLedger(error) } });
  const response = await api.ask('/v1/projects');
  assert.equal(response.headers.get('retry-after'), '3');
  const problem = await api.problem(response);
  assert.deepEqual([problem.status, problem.detail], [503, 'the ledger does not answer']);
});

test('a path that no percent-decoding can read is a bad request', async () => {
  await using api = await askingApi();
  assert.equal(await rawStatus(api, { path: '/v1/projects/%E0%A4%A' }), 400);
});

test('the page is served, may run its own scripts only, and be framed by nobody', async () => {
  await using api = await askingApi();
  const response = await api.ask('/');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(response.headers.get('x-powered-by'), null);
});

test('what the policy forbids the page does not do: no inline script, style or handler', () => {
  for (const name of readdirSync(WEB).filter((file) => file.endsWith('.html'))) {
    const html = readFileSync(join(WEB, name), 'utf8');
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)/i, name);
    assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:/i, name);
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//i, `${name} loads from elsewhere`);
  }
});

test('every script, style and module that the page names is there', async () => {
  const moduleFiles = { 'preact.js': join(WEB, 'main.js'), 'uplot.css': join(WEB, 'page.css') };
  await using api = await askingApi({ parts: { moduleFiles } });
  const html = readFileSync(join(WEB, 'index.html'), 'utf8');
  const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  assert.ok(names.length > 3);
  for (const path of names) assert.equal((await api.ask(path)).status, 200, path);
  const script = await api.ask('/modules/preact.js');
  assert.match(script.headers.get('content-type') ?? '', /javascript/);
  const style = await api.ask('/modules/uplot.css');
  assert.match(style.headers.get('content-type') ?? '', /^text\/css/);
});

test('nothing but the page leaves its folder, however the path is written', async () => {
  await using api = await askingApi();
  for (const path of [
    '/../api/start.ts',
    '/..%2fapi%2fstart.ts',
    '/%2e%2e/api/start.ts',
    '/..%5capi%5cstart.ts',
    '/.%00./api/start.ts',
    '//etc/passwd',
    '/modules/..%2f..%2fpackage.json',
    '/modules/__proto__',
    '/modules/constructor',
    '/modules/unknown.js',
    '/tsconfig.json',
    '/README.md',
    '/.gitignore',
    '/main.test.js',
  ]) {
    const status = await rawStatus(api, { path });
    assert.ok(status === 404 || status === 400, `${path}: ${status}`);
  }
});

test('a module whose file is gone is 404, without its path', async () => {
  const moduleFiles = { 'gone.js': join(WEB, 'no-such-file.js') };
  await using api = await askingApi({ parts: { moduleFiles } });
  const response = await api.ask('/modules/gone.js');
  assert.doesNotMatch(await response.clone().text(), /no-such-file/);
  assert.equal((await api.problem(response)).code, 'NOT_FOUND');
});

test('a foreign host name or page is refused everywhere, the quota check included', async () => {
  await using api = await askingApi();
  for (const path of ['/', '/v1/status', '/v1/quota-checks', '/metrics']) {
    assert.equal(await rawStatus(api, { path, headers: { host: 'evil.example' } }), 403, path);
  }
  const foreign = api.ask('/v1/quota-checks', {
    method: 'POST',
    body: '{"project":"a"}',
    headers: { origin: 'https://evil.example' },
  });
  assert.equal((await api.problem(foreign)).code, 'FORBIDDEN');
});
