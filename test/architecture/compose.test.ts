import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { tollgateConfig } from '../../services/all-in-one/config.ts';
import { logsConfig } from '../../services/collectors/logs/config.ts';
import { readConfig } from '../../shared/config/read-config.ts';
import { composeProblems, type Deployment } from './compose-problems.ts';
import { dockerStages } from './docker-stages.ts';

/** No container engine is needed: the files are parsed and compared with the code. */
const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function deployment(): Deployment {
  const servers = 'test/services/servers';
  const defaults = tollgateConfig.parse({});
  const { tcp } = logsConfig.parse({ tcp: [{}] });
  const files = readdirSync(join(ROOT, servers)).filter((name) => name.endsWith('.ts'));
  return {
    compose: read('docker-compose.yml'),
    dockerfile: read('Dockerfile'),
    envExample: read('deploy/compose.env.example'),
    config: read('deploy/tollgate.yaml'),
    packageJson: read('package.json'),
    servers: new Map(files.map((name) => [name, read(`${servers}/${name}`)])),
    ports: {
      api: defaults.api.port,
      graphite: defaults.metrics.graphite[0]?.port ?? 0,
      logs: tcp[0]?.port ?? 0,
    },
    hasSource: (path) => existsSync(join(ROOT, path)),
  };
}

test('the deployment says what the code says', () => {
  assert.deepEqual(composeProblems(deployment()), []);
});

type Part = 'compose' | 'dockerfile' | 'envExample' | 'config';

/** A part, what is replaced in it by what, and the problem that must then be told. */
const PLANTED: readonly (readonly [Part, string | RegExp, string, RegExp])[] = [
  ['compose', /elasticsearch:8\.[\d.]+/, 'elasticsearch:8.1.0', /tests run 8\.19/],
  ['compose', /kibana:8\.[\d.]+/, 'kibana:8.1.0', /^kibana: .*tests run 8\.19/],
  ['compose', /influxdb:1[\d.]+/, 'influxdb:1.8.9', /^influxdb: .*tests run/],
  ['compose', /postgres:\d+\.\d+/, 'postgres:15.1', /^postgresql: .*tests run 18/],
  ['compose', /kafka:4[\d.]+/, 'kafka:3.9.2', /^kafka: .*tests run 4/],
  ['compose', /grafana:13[\d.]+/, 'grafana:latest', /no pinned version/],
  ['compose', '127.0.0.1:9200:9200', '9200:9200', /^elasticsearch: .*loopback/],
  ['compose', '127.0.0.1:8470:8470', '127.0.0.1:8471:8471', /^serve: publishes 8471/],
  ['compose', '127.0.0.1:2003:2003', '127.0.0.1:2004:2004', /^collect: publishes 2004,4560,8470/],
  ['compose', '["meter",', '["metre",', /^meter: its command is metre/],
  [
    'compose',
    /\n {4}healthcheck:\n {6}test: \["CMD", "pg_isready"[\s\S]*?retries: 30/,
    '',
    /health/,
  ],
  ['compose', 'read_only: true', 'read_only: false', /read-only/],
  ['compose', /POSTGRES_PASSWORD: .*/, 'POSTGRES_PASSWORD: tollgate', /must have a value/],
  ['compose', /GRAFANA_ADMIN_PASSWORD:\?/, 'GRAFANA_ADMIN_PASSWORD:-admin', /must have a value/],
  ['compose', 'kafka-setup: {', 'kafka-stop: {', /depends on kafka-stop/],
  ['compose', /stores-init: \{ condition: \w+/, 'stores-init: { condition: x', /never x/],
  ['compose', /\n {2}collect:\n$/, '\n', /volume collect/],
  ['envExample', 'ELASTIC_PASSWORD=', 'ELASTIC_PASSWORT=', /ELASTIC_PASSWORD is missing/],
  ['envExample', 'SPARK_FILES=', 'SPARK_FILES=\nOTHER=', /nobody reads OTHER/],
  ['envExample', 'SPARK_FILES=', 'SPARK_FILES=/tmp', /has a default/],
  ['config', /\$\{TOLLGATE_POSTGRESQL_PASSWORD\}/, '$' + '{PGPASSWORD}', /reads PGPASSWORD/],
  ['config', 'http://influxdb:8086', 'http://influx:8086', /who is influx/],
  ['config', '/var/lib/tollgate', '/data', /data is no volume/],
  ['dockerfile', /node:26[\d.]+/, 'node:20.1.0', /package\.json has node 26/],
  ['dockerfile', 'USER node', 'USER root', /runs as root/],
  ['dockerfile', 'USER node\n', '', /runs as root/],
  ['dockerfile', '8470/livez', '8470/', /health check/],
  ['dockerfile', '["node", "-e"', '["curl", "-e"', /health check/],
  ['dockerfile', 'EXPOSE 8470', 'EXPOSE 8471', /exposes 8471/],
  ['dockerfile', '--omit=dev ', '', /more than production needs/],
  ['dockerfile', '--from=modules /modules', '--from=build /build', /modules of the build/],
  ['dockerfile', 'cli/main.js', 'cli/start.js', /isn't built/],
];

test('each difference is told', async (t) => {
  const clean = deployment();
  for (const [part, from, to, problem] of PLANTED) {
    await t.test(`${part}: ${from} becomes ${to}`, () => {
      const changed = clean[part].replace(from, to);
      assert.notEqual(changed, clean[part], 'the planted difference found its place');
      const problems = composeProblems({ ...clean, [part]: changed });
      assert.ok(
        problems.some((one) => problem.test(one)),
        JSON.stringify(problems),
      );
    });
  }
});

test('a Dockerfile is read stage by stage', () => {
  const text = '# c\nFROM a:1 AS b\nRUN x \\\n  y\n\nFROM c\nCOPY --from=b /x ./\n';
  assert.deepEqual(dockerStages(text), [
    { from: 'a:1', name: 'b', instructions: [{ name: 'RUN', rest: 'x y' }] },
    { from: 'c', name: '', instructions: [{ name: 'COPY', rest: '--from=b /x ./' }] },
  ]);
});

test('the configuration of the deployment is one', () => {
  const env = new Proxy({}, { get: () => 'secret' });
  const { problems } = readConfig(tollgateConfig, {
    text: read('deploy/tollgate.yaml'),
    env,
    readFile: read,
  });
  assert.deepEqual(problems, []);
});
