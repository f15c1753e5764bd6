import assert from 'node:assert/strict';
import test from 'node:test';
import { isProjectId, parseProjectId } from './project-id.ts';

test('project ids are folded to lower case and trimmed', () => {
  assert.equal(parseProjectId('  ETL-Daily '), 'etl-daily');
});

test('names that could leave their place are refused', () => {
  for (const text of ['', '../etc', 'a/b', '__proto__', 'a b', '-a', 'x'.repeat(64), 'é', 'a\n']) {
    assert.equal(isProjectId(text), false, JSON.stringify(text));
  }
});
