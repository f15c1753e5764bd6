import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { MapCheckpoints } from '../../../test/support/map-checkpoints.ts';
import { systemClock } from '../../runtime/clock.ts';
import { checkInflux } from './check-influx.ts';
import { influxConfig } from './config.ts';
import { initInflux } from './init-influx.ts';
import { openInfluxMetricWriter } from './open-influx-metric-writer.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
type Answer = readonly [status: number, body?: unknown, headers?: Record<string, string>];

/** A server that speaks as a test wants, for the 2.x API. */
async function answering(answer: (asked: Asked) => Answer) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const chunks = await request.toArray();
    const bytes = Buffer.concat(chunks as Buffer[]);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    const { method = '', headers } = request;
    const one = { method, path: url.pathname, query: url.searchParams, headers, body: `${body}` };
    asked.push(one);
    const [status, json, more] = answer(one);
    response.writeHead(status, { 'content-type': 'application/json', ...more });
    response.end(json === undefined ? '' : JSON.stringify(json));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const config = influxConfig.parse({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    org: 'acme',
    token: 'geheim',
    measurements: [{ measurement: 'm', fields: ['*'] }],
  });
  return {
    asked,
    config,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('init makes two buckets and their mapping for InfluxQL, and repeats without harm', async () => {
  const buckets = new Map<string, string>();
  const mappings: unknown[] = [];
  await using server = await answering(({ method, path, query, body }) => {
    if (path === '/api/v2/orgs') return [200, { orgs: [{ id: 'o1' }] }];
    if (path === '/api/v2/dbrps') {
      if (method === 'POST') mappings.push(JSON.parse(body));
      return [method === 'POST' ? 201 : 200, { content: mappings }];
    }
    if (method === 'PATCH') return [200, {}];
    if (method === 'POST') {
      const { name } = JSON.parse(body) as { name: string };
      buckets.set(name, `b${buckets.size}`);
      return [201, { id: buckets.get(name) }];
    }
    const id = buckets.get(query.get('name') ?? '');
    return id === undefined ? [404, { code: 'not found' }] : [200, { buckets: [{ id }] }];
  });
  await initInflux(server.config);
  await initInflux(server.config);
  assert.deepEqual([...buckets.keys()], ['tollgate/raw', 'tollgate/long']);
  const mapping = { database: 'tollgate', orgID: 'o1' };
  assert.deepEqual(mappings, [
    { ...mapping, retention_policy: 'raw', bucketID: 'b0', default: true },
    { ...mapping, retention_policy: 'long', bucketID: 'b1', default: false },
  ]);
  const changed = server.asked.filter(({ method }) => method === 'PATCH').map(({ body }) => body);
  assert.equal(changed.length, 2);
  assert.match(changed[0] ?? '', /"everySeconds":172800/);
  assert.ok(server.asked.every(({ headers }) => headers.authorization === 'Token geheim'));
});

test('a mapping that the server made itself is replaced where it must be the default', async () => {
  const made: { retention_policy: string; default: boolean }[] = [];
  await using server = await answering(({ method, path, query, body }) => {
    if (path === '/api/v2/orgs') return [200, { orgs: [{ id: 'o1' }] }];
    if (path === '/api/v2/buckets') return [200, { buckets: [{ id: query.get('name') }] }];
    if (path !== '/api/v2/dbrps') return [200, {}];
    if (method === 'POST') made.push(JSON.parse(body));
    const policy = query.get('rp');
    const own = made.find((one) => one.retention_policy === policy);
    const virtual = { bucketID: `tollgate/${policy}`, default: false, virtual: true };
    return [200, { content: [own ?? virtual] }];
  });
  await initInflux(server.config);
  await initInflux(server.config);
  assert.deepEqual(
    made.map((one) => [one.retention_policy, one.default]),
    [['raw', true]],
  );
});

test('init says which right a token lacks', async () => {
  let orgs: Answer = [200, { orgs: [] }];
  await using server = await answering(({ path, method }) => {
    if (path === '/api/v2/orgs') return orgs;
    if (method === 'GET') return [404, { code: 'not found' }];
    const message = 'write:orgs/197518c617e1ab43/buckets is unauthorized';
    return [401, { code: 'unauthorized', message }];
  });
  const code = 'STORE_MISCONFIGURED';
  const said = (message: RegExp) => assert.rejects(initInflux(server.config), { code, message });
  await said(/shows this token no organization acme/);
  orgs = [200, { orgs: [{ id: 'o1' }] }];
  await said(/gives the token no right: write:orgs\/\w+\/buckets is unauthorized/);
  orgs = [401, { code: 'unauthorized', message: 'unauthorized access' }];
  await said(/doesn't accept the user and password or the token/);
});

test('check tells a wrong token, a missing bucket and a missing right apart', async () => {
  let refused: Partial<Record<'buckets' | 'write', Answer>> = {};
  await using server = await answering(({ path }) => {
    if (path === '/ping') return [204, undefined, { 'x-influxdb-version': 'v2.9.1' }];
    if (path === '/api/v2/buckets') return refused.buckets ?? [200, { buckets: [{ id: 'b' }] }];
    if (path === '/api/v2/write') return refused.write ?? [204];
    return [200, { results: [{ statement_id: 0 }] }];
  });
  assert.deepEqual(await checkInflux(server.config), { version: '2.9.1' });
  const cases: [typeof refused, RegExp][] = [
    [{ buckets: [401, { code: 'unauthorized' }] }, /doesn't accept the user and password or the/],
    [{ buckets: [404, {}] }, /no bucket tollgate\/raw in organization acme/],
    [{ buckets: [200, { buckets: [] }] }, /no bucket tollgate\/raw/],
    [{ write: [403, {}] }, /no right to write to tollgate\/raw/],
    [{ write: [404, {}] }, /has no tollgate\/raw; run/],
  ];
  for (const [answers, message] of cases) {
    refused = answers;
    await assert.rejects(checkInflux(server.config), { code: 'STORE_MISCONFIGURED', message });
  }
  const v1 = { ...server.config, token: '' };
  await assert.rejects(checkInflux(v1), /is version 2\.9\.1; give org, bucket and token/);
});

test('of a batch that a 2.x server refuses whole, only the bad point is missing', async () => {
  const values = new Set<number>();
  let overloads = 2;
  await using server = await answering(({ body }) => {
    if (overloads > 0) {
      overloads -= 1;
      const message = 'unexpected error writing points to database: timeout';
      return [500, { code: 'internal error', message }];
    }
    if (body.includes('bad=')) return [400, { code: 'invalid', message: 'unable to parse bad' }];
    for (const [, value] of body.matchAll(/ good=(\d+)/g)) values.add(Number(value));
    return [204];
  });
  const refused: unknown[] = [];
  const checkpoints = new MapCheckpoints();
  await using writer = await openInfluxMetricWriter({
    config: { ...server.config, requestsInFlight: 3, batchPoints: 50 },
    clock: systemClock,
    random: () => 0,
    checkpoints,
    onRefused: async ({ value, reason, detail }) => {
      assert.equal(checkpoints.saved.size, 0, 'the checkpoint waits for the quarantine');
      refused.push([value, reason, detail.includes('unable to parse bad')]);
    },
    onFate: (fate, points) => assert.deepEqual([fate, points], ['malformed', 1]),
  });
  const now = systemClock.now();
  const refs = Array.from({ length: 400 }, (_, i) =>
    writer.declare({
      measurement: 'm',
      field: i === 123 ? 'bad' : 'good',
      tags: { project: 'p', executor: `${i % 10}` },
    }),
  );
  const block = {
    series: Uint32Array.from(refs),
    at: Float64Array.from(refs, (_, i) => now - i),
    value: Float64Array.from(refs, (_, i) => i),
    length: refs.length,
  };
  await writer.write(block, [{ source: 's', position: '1' }]);
  assert.equal(values.size, 399);
  assert.deepEqual(refused, [[123, 'malformed', true]]);
  assert.equal(checkpoints.saved.get('s')?.position, '1');
  const writes = server.asked.filter(({ path }) => path === '/api/v2/write');
  assert.ok(writes.some(({ query }) => query.get('bucket') === 'tollgate/raw'));
  assert.equal(writes[0]?.query.get('org'), 'acme');
  assert.equal(writes[0]?.headers['content-encoding'], 'gzip');
});
