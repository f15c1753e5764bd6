import assert from 'node:assert/strict';
import test from 'node:test';
import { workerUrl } from './worker-url.ts';

test('a worker is found beside its caller in a checkout and in the built package', () => {
  assert.equal(
    workerUrl('file:///a/b/start.ts', './logs-worker').href,
    'file:///a/b/logs-worker.ts',
  );
  assert.equal(
    workerUrl('file:///a/b/start.js', './logs-worker').href,
    'file:///a/b/logs-worker.js',
  );
});
