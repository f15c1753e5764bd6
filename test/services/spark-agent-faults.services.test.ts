import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeAuthority } from '../support/certificates.ts';
import { freePort, RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from './servers/spark.ts';
import { buildAgent } from './servers/spark-agent.ts';

const MAIN = resolve(import.meta.dirname, '../../services/cli/main.ts');
const PROJECT = 'orders';
const CLUSTER = 'lab';

/** What the agent said in the driver's log. */
function said({ stderr }: SparkRun): string[] {
  return stderr.split('\n').filter((line) => line.includes('Tollgate: '));
}

/** Listens on a port that is returned, until it is disposed. */
async function listening(server: Pick<Server, 'listen' | 'address' | 'close' | 'on'>): Promise<{
  readonly port: number;
  readonly [Symbol.dispose]: () => void;
}> {
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server as Server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.dispose]: () => void server.close() };
}

describe('the agent where something is wrong', { timeout: 900_000 }, () => {
  const resources = new AsyncDisposableStack();
  let folder = '';
  let jar = '';
  let spark: SparkHome;
  let tollgate: RunningTollgate;

  before(async () => {
    folder = resources.use(await temporaryFolder()).path;
    spark = await installSpark();
    ({ jar } = await buildAgent(spark, folder));
    tollgate = resources.use(
      await RunningTollgate.start(folder, {
        containers: { clusters: [{ id: CLUSTER }] },
        metrics: { graphite: [] },
        metering: { settleIntervalMs: 500 },
      }),
    );
  });
  after(() => resources.disposeAsync());

  const run = (more: Record<string, string>): Promise<SparkRun> =>
    runSpark(spark, {
      app: join(import.meta.dirname, 'spark/counting.py'),
      args: ['20'],
      conf: {
        'spark.master': 'local[2]',
        'spark.jars': jar,
        'spark.plugins': 'tollgate.spark.TollgatePlugin',
        'spark.tollgate.url': tollgate.url,
        'spark.tollgate.cluster': CLUSTER,
        'spark.tollgate.project': PROJECT,
        'spark.tollgate.heartbeat': '500ms',
        'spark.tollgate.spool.dir': join(folder, 'spool'),
        ...more,
      },
    });

  const isWell = (ran: SparkRun): void => {
    assert.equal(ran.exitCode, 0, ran.stderr.slice(-4_000));
    assert.match(ran.stdout, /^RESULT 190$/m);
    assert.doesNotMatch(ran.stderr, /at tollgate\.spark/);
  };

  test('a driver whose project may not start ends before it asked for anything, with one line', async () => {
    const path = `/v1/projects/${PROJECT}/grants`;
    const json = { 'content-type': 'application/json' };
    const grant = async (id: string, credits: string) =>
      assert.equal(
        (await tollgate.post(path, JSON.stringify({ id, credits, reason: 'a test' }), json)).status,
        201,
      );
    await grant('a', '-1');
    const denied = await run({ 'spark.tollgate.quota.check': 'true' });
    assert.notEqual(denied.exitCode, 0, denied.stderr.slice(-3_000));
    assert.doesNotMatch(denied.stdout, /APPLICATION/);
    assert.match(
      denied.stderr,
      /project orders may not start this application \(balance-exhausted: /,
    );
    assert.doesNotMatch(denied.stderr, /at tollgate\.spark/);
    await grant('b', '100');
    const allowed = await run({
      'spark.tollgate.quota.check': 'true',
      'spark.tollgate.quota.duration': '10m',
    });
    isWell(allowed);
    assert.ok(said(allowed).some((line) => line.includes('project orders may start (ok')));
  });

  test('a Tollgate that is away: one line, the job as ever, and the next application brings the facts', async (t) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const away = await run({ 'spark.tollgate.url': url });
    isWell(away);
    const lines = said(away);
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[1] ?? '', /nobody answers there/);
    const kept = readdirSync(join(folder, 'spool'));
    assert.ok(
      kept.some((name) => name.endsWith('.containers.ndjson')),
      kept.join(),
    );
    // It comes back at the address where it was missed.
    await using back = await RunningTollgate.start(join(folder), {
      dataFolder: join(folder, 'data-back'),
      api: { port },
      containers: { clusters: [{ id: CLUSTER }] },
      metrics: { graphite: [] },
      metering: { settleIntervalMs: 500 },
    });
    const next = await run({ 'spark.tollgate.url': url });
    isWell(next);
    type Listed = { applications: { id: string; state: string }[] };
    const { applications } = await back.until(
      () => back.get<Listed>(`/v1/projects/${PROJECT}/applications`),
      (page) => page.applications.filter(({ state }) => state === 'ended').length === 2,
    );
    const ids = [away, next].map(({ stdout }) => /APPLICATION (\S+)/.exec(stdout)?.[1]);
    assert.deepEqual(new Set(applications.map(({ id }) => id)), new Set(ids));
    assert.deepEqual(readdirSync(join(folder, 'spool')), []);
    t.diagnostic(`away ${away.tookMs} ms, there ${next.tookMs} ms`);
  });

  test('a wrong token, and a server that is no Tollgate and hangs', async (t) => {
    const token = join(folder, 'token');
    await writeFile(token, `tg_${'0'.repeat(16)}_${'A'.repeat(43)}\n`);
    const dataFolder = join(folder, 'data-strict');
    await using strict = await RunningTollgate.start(join(folder), {
      dataFolder,
      api: { port: 0, requireToken: true },
      metrics: { graphite: [] },
      metering: { settleIntervalMs: 500 },
    });
    const refused = await run({
      'spark.tollgate.url': strict.url,
      'spark.tollgate.token.file': token,
    });
    isWell(refused);
    assert.deepEqual(
      said(refused).filter((line) => line.includes('the token is refused')).length,
      1,
      said(refused).join('\n'),
    );
    assert.doesNotMatch(refused.stderr, /A{43}/, 'no token in a log');
    // The right one, of this project alone.
    const made = async (...scope: string[]) =>
      (
        await promisify(execFile)(process.execPath, [
          ...[MAIN, 'token', 'create', '--data', dataFolder, '--json'],
          ...scope,
        ])
      ).stdout;
    const bound: { token: string } = JSON.parse(
      await made('--scope', 'ingest', '--project', PROJECT),
    );
    await writeFile(token, bound.token);
    const taken = await run({
      'spark.tollgate.url': strict.url,
      'spark.tollgate.token.file': token,
    });
    isWell(taken);
    assert.equal(said(taken).length, 1, said(taken).join('\n'));
    const reader: { token: string } = JSON.parse(await made('--scope', 'read'));
    const headers = { authorization: `Bearer ${reader.token}` };
    const { applications } = await strict.until(
      async () => {
        const answer = await fetch(`${strict.url}/v1/projects/${PROJECT}/applications`, {
          headers,
        });
        return (await answer.json()) as { applications?: { state: string }[] };
      },
      ({ applications: all = [] }) =>
        all.length === 2 && all.every(({ state }) => state === 'ended'),
    );
    assert.equal(applications?.length, 2, 'the one whose token was refused came with the spool');
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const hanging = await run({ 'spark.tollgate.url': `http://127.0.0.1:${port}` });
    silent.closeAllConnections();
    silent.close();
    isWell(hanging);
    t.diagnostic(`refused ${refused.tookMs} ms, hanging ${hanging.tookMs} ms`);
  });

  test('a proxy that asks for a password, a portal that answers instead, an unknown authority', async (t) => {
    let asked = 0;
    using proxy = await listening(
      createServer((request, response) => {
        asked += 1;
        request.resume();
        response.writeHead(407, { 'proxy-authenticate': 'Basic realm="way out"' }).end('<html>');
      }),
    );
    using portal = await listening(
      createServer((request, response) => {
        request.resume();
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>');
      }),
    );
    const authority = await makeAuthority(folder);
    using unknown = await listening(
      createTlsServer(await authority.sign('server'), (_, response) => response.end('{}')),
    );
    const proxied = ['http.proxyHost=127.0.0.1', `http.proxyPort=${proxy.port}`];
    const wrong: readonly (readonly [RegExp, Record<string, string>])[] = [
      [
        /a proxy asks for a password \(407\)/,
        {
          'spark.tollgate.url': 'http://tollgate.example:8470',
          'spark.driver.extraJavaOptions': proxied.map((one) => `-D${one}`).join(' '),
        },
      ],
      [
        /what answers \(status 200\) is not Tollgate: check spark.tollgate.url/,
        { 'spark.tollgate.url': `http://127.0.0.1:${portal.port}` },
      ],
      [
        /TLS failed \(.+\); name its CA in spark.tollgate.ca.file/,
        { 'spark.tollgate.url': `https://127.0.0.1:${unknown.port}` },
      ],
    ];
    for (const [problem, conf] of wrong) {
      const ran = await run({ ...conf, 'spark.tollgate.spool.bytes': '0b' });
      isWell(ran);
      const lines = said(ran).filter((line) => !/ sends to |were dropped unsent/.test(line));
      assert.equal(lines.length, 1, said(ran).join('\n'));
      assert.match(lines[0] ?? '', problem);
      t.diagnostic(`${ran.tookMs} ms: ${lines[0]}`);
    }
    assert.ok(asked > 1, 'it is tried again');
  });

  test('an older Tollgate that knows no heartbeats, and a newer one that answers more', async () => {
    const lines: string[] = [];
    let isOlder = true;
    using other = await listening(
      createServer((request, response) => {
        lines.push(request.url ?? '');
        request.resume().once('end', () => {
          const isUnknown = isOlder && request.url === '/v1/ingest/heartbeats';
          response.writeHead(isUnknown ? 404 : 200, { 'content-type': 'application/json' });
          const more = { protocol: 99, orders: [{ kind: 'dance', id: 'x' }, 7], news: {} };
          const body = isUnknown ? { code: 'NOT_FOUND', detail: 'there is nothing' } : more;
          response.end(JSON.stringify(body));
        });
      }),
    );
    const url = `http://127.0.0.1:${other.port}`;
    const older = await run({ 'spark.tollgate.url': url });
    isWell(older);
    const beats = lines.filter((path) => path === '/v1/ingest/heartbeats').length;
    assert.equal(beats, 1, 'it is asked once');
    assert.ok(lines.includes('/v1/ingest/containers'));
    const unknown = said(older).filter((line) => !line.includes(' sends to '));
    assert.equal(unknown.length, 1, unknown.join('\n'));
    assert.match(unknown[0] ?? '', /this version of Tollgate knows no heartbeats/);
    isOlder = false;
    const newer = await run({ 'spark.tollgate.url': url });
    isWell(newer);
    assert.equal(said(newer).length, 1, said(newer).join('\n'));
  });
});
