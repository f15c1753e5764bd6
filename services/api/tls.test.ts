import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { AppError } from '../../shared/errors/app-error.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { type Authority, makeAuthority } from '../../test/support/certificates.ts';
import { type RunningApi, runningApi } from '../../test/support/running-api.ts';
import { temporaryFolder } from '../../test/support/running-tollgate.ts';
import type { ApiConfig } from './config.ts';
import { type Api, openDoors, startApi } from './start.ts';

type Config = Pick<ApiConfig, 'host' | 'port'> & Partial<ApiConfig>;

/** A second listener on the stores of a running API, with these options. */
async function start(api: RunningApi, config: Config): Promise<Api> {
  await using resources = new AsyncDisposableStack();
  const { tokens: store, clock, metrics } = api;
  const asking = { store, clock, metrics, random: randomBytes, logger: silentLogger };
  const doors = resources.use(await openDoors(config, asking));
  const started = resources.use(
    await startApi(config, api.deps, {
      ...{ doors, logger: silentLogger, webRoot: import.meta.dirname, moduleFiles: {} },
      ...{ ingest: undefined, notReady: () => [], printMetrics: async () => 'none 1\n' },
    }),
  );
  const open = resources.move();
  const { url, adminLink } = started;
  return { url, adminLink, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
}

function ask(url: string, options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, ...options }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    }).on('error', reject);
  });
}

async function authority(): Promise<Authority & AsyncDisposable> {
  const folder = await temporaryFolder();
  return { ...(await makeAuthority(folder.path)), ...folder };
}

test('with a certificate all is https, and browsers are told to stay there', async () => {
  await using ca = await authority();
  await using base = await runningApi();
  const tls = await ca.sign('api');
  const config = { host: '127.0.0.1', port: 0, tls, hstsMaxAgeSeconds: 100 };
  await using api = await start(base, config);
  assert.match(api.url, /^https:/);
  for (const path of ['/livez', '/v1/projects', '/nothing']) {
    const { headers } = await ask(api.url + path, { ca: ca.ca });
    assert.equal(headers['strict-transport-security'], 'max-age=100', path);
  }
  await using silent = await start(base, { ...config, hstsMaxAgeSeconds: 0 });
  const { headers } = await ask(`${silent.url}/livez`, { ca: ca.ca });
  assert.equal(headers['strict-transport-security'], undefined);
});

test('a client without a certificate of the authority does not get in', async () => {
  await using ca = await authority();
  await using base = await runningApi();
  const tls = { ...(await ca.sign('api')), caFile: ca.caFile };
  await using api = await start(base, { host: '127.0.0.1', port: 0, tls });
  await assert.rejects(ask(`${api.url}/livez`, { ca: ca.ca }), /certificate required|ECONNRESET/);
  const { cert, key } = await ca.sign('client');
  assert.equal((await ask(`${api.url}/livez`, { ca: ca.ca, cert, key })).status, 200);
});

test('where other machines reach it, plain text is refused unless it is meant', async () => {
  await using base = await runningApi();
  await assert.rejects(start(base, { host: '0.0.0.0', port: 0 }), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, /^api\.host can be reached from other machines: .*insecure: true/);
    return true;
  });
});

test('where other machines reach it, tokens are asked for, of metrics too', async () => {
  await using base = await runningApi();
  await using api = await start(base, { host: '0.0.0.0', port: 0, insecure: true });
  const local = api.url.replace('0.0.0.0', '127.0.0.1');
  const status = async (path: string, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(local + path, { headers })).status;
  };
  assert.deepEqual([await status('/livez'), await status('/readyz')], [200, 200]);
  assert.deepEqual([await status('/metrics'), await status('/v1/projects')], [401, 401]);
  assert.equal(await status('/metrics', await base.token(['read'])), 200);
  assert.equal(await status('/metrics', await base.token(['ingest'])), 403);
  assert.equal(await status('/metrics', await base.token(['read'], { projects: ['ml'] })), 403);
});

test('the first start there has a link for the administrator, until there is one', async () => {
  await using base = await runningApi();
  const config = { host: '0.0.0.0', port: 0, insecure: true };
  {
    await using api = await start(base, config);
    const link = new URL(api.adminLink ?? '');
    assert.notEqual(link.hostname, '0.0.0.0', 'a browser can open it');
    assert.match(link.hash, /^#admin-link=[\w-]{43}$/, 'which browsers send to nobody');
  }
  await base.token(['read']);
  {
    await using api = await start(base, config);
    assert.notEqual(api.adminLink, undefined, 'a reader is no administrator');
  }
  await base.token(['admin']);
  await using api = await start(base, config);
  assert.equal(api.adminLink, undefined);
});

test('closing does not wait for who never finishes a handshake', async (t) => {
  await using ca = await authority();
  await using base = await runningApi();
  const tls = await ca.sign('api');
  const api = await start(base, { host: '127.0.0.1', port: 0, tls });
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const closed = api[Symbol.asyncDispose]();
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(5_000);
  await closed;
});
