import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { doorProblem, listenerDoor, speaksTls, withDoor } from './listener-door.ts';
import { isLoopback } from './loopback.ts';
import { readConfig } from './read-config.ts';

const listener = withDoor(z.object({ host: z.string().default('127.0.0.1'), ...listenerDoor }));
const schema = z.object({ api: listener.prefault({}), tcp: z.array(listener).default([]) });

function problemsOf(text: string): string[] {
  const { problems } = readConfig(schema, { text, env: {}, readFile: () => '' });
  return problems.map(({ line, path }) => `${line} ${path}`);
}

test('only addresses of this machine are loopback', () => {
  for (const own of ['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', 'LOCALHOST']) {
    assert.ok(isLoopback(own), own);
  }
  const others = [
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '127.0.0.1.example',
    'localhost.example',
    '1270',
  ];
  for (const other of others) assert.ok(!isLoopback(other), other);
});

test('on loopback nothing more is asked, elsewhere TLS or a word that plain text is meant', () => {
  const files = { certificateFile: 'c.pem', keyFile: 'k.pem', caFile: '' };
  assert.equal(doorProblem({ host: '127.0.0.1' }), undefined);
  assert.equal(doorProblem({ host: '0.0.0.0', insecure: true }), undefined);
  assert.equal(doorProblem({ host: '0.0.0.0', tls: files }), undefined);
  assert.match(doorProblem({ host: '0.0.0.0' })?.message ?? '', /tls\.certificateFile.*insecure/);
  assert.ok(speaksTls({ tls: files }));
  assert.ok(!speaksTls({}));
});

test('each listener that is too open is named with its line', () => {
  const text = ['api:', '  host: 0.0.0.0', 'tcp:', '  - host: localhost', '  - host: "::"'];
  assert.deepEqual(problemsOf(text.join('\n')), ['2 api.host', '5 tcp[1].host']);
  assert.deepEqual(problemsOf('api:\n  host: 0.0.0.0\n  insecure: true\n'), []);
});

test('half a TLS is named where it stands, on loopback too', () => {
  assert.deepEqual(problemsOf('api:\n  tls:\n    certificateFile: c\n'), [
    '3 api.tls.certificateFile',
  ]);
  assert.deepEqual(problemsOf('api:\n  tls:\n    keyFile: k\n'), ['3 api.tls.keyFile']);
  assert.deepEqual(problemsOf('api:\n  tls:\n    caFile: a\n  insecure: true\n'), [
    '3 api.tls.caFile',
  ]);
});
