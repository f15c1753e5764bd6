import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeAuthority } from '../support/certificates.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark } from './servers/spark.ts';
import { AGENT_SOURCES, buildAgent } from './servers/spark-agent.ts';

const run = promisify(execFile);

/** Bytecode of Java 8; Spark 3.5 runs on that too. */
const JAVA_8 = 52;
/** What differs between Scala 2.12 and 2.13, where a signature would bind the agent to one of them. */
const COLLECTION = /scala\/collection|scala\/Predef|scala\/jdk/;

test('the agent’s own tests, in Java', { timeout: 300_000 }, async (t) => {
  await using folder = await temporaryFolder();
  const { classes, classPath } = await buildAgent(await installSpark(), folder.path);
  const tests = join(folder.path, 'tests');
  mkdirSync(tests);
  const sources = globSync(join(AGENT_SOURCES, 'test/java/**/*.java'));
  const path = `${classes}:${classPath}`;
  await run('javac', ['--release', '8', '-Xlint:-options', '-cp', path, '-d', tests, ...sources]);
  const authority = await makeAuthority(folder.path);
  const other = await makeAuthority(folder.path, 'other');
  const server = createServer(await authority.sign('server'), (request, response) => {
    request.resume().once('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  using _ = { [Symbol.dispose]: () => void server.close() };
  const { port } = server.address() as AddressInfo;
  const properties = [
    `-Dtollgate.test.tls.url=https://127.0.0.1:${port}`,
    `-Dtollgate.test.tls.ca=${authority.caFile}`,
    `-Dtollgate.test.tls.otherCa=${other.caFile}`,
  ];
  const command = [...properties, '-cp', `${tests}:${path}`, 'tollgate.spark.AgentTest'];
  const { stdout } = await run('java', command).catch(
    (failed: { stdout: string; stderr: string }) => assert.fail(failed.stdout + failed.stderr),
  );
  const passed = stdout.match(/^ok /gm)?.length ?? 0;
  t.diagnostic(`${passed} passed`);
  assert.ok(passed >= 25, stdout);
});

test('one jar for Java 8 and any Scala: no signature names a Scala collection', async () => {
  await using folder = await temporaryFolder();
  const { classes, classPath } = await buildAgent(await installSpark(), folder.path);
  const files = globSync(join(classes, 'tollgate/spark/*.class'));
  assert.ok(files.length > 15);
  const { stdout } = await run('javap', ['-v', '-p', '-cp', `${classes}:${classPath}`, ...files], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const versions = new Set(
    [...stdout.matchAll(/major version: (\d+)/g)].map(([, text]) => Number(text)),
  );
  assert.deepEqual([...versions], [JAVA_8]);
  const named = stdout.split('\n').filter((line) => COLLECTION.test(line));
  assert.deepEqual(named, []);
});
