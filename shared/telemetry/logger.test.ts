import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';

test('log lines are JSON on stderr with the service, an ISO time, and no secret', () => {
  const script = `import { createLogger } from './shared/telemetry/logger.ts';
    createLogger('api').info({ store: { url: 'x', password: 'hunter2' } }, 'opened');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
  const line = JSON.parse(stderr);
  assert.equal(line.service, 'api');
  assert.equal(line.msg, 'opened');
  assert.match(line.time, /^\d{4}-\d{2}-\d{2}T.*Z$/);
  assert.ok(!stderr.includes('hunter2'));
});
