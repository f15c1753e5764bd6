import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { ruleFileSchema } from './rule-file-schema.ts';

test('the published schema is the one that rules are read by', () => {
  const file = resolve(import.meta.dirname, '../../alerts/rule.schema.json');
  const published: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const hint = '"tollgate rules schema > alerts/rule.schema.json" writes it';
  assert.deepEqual(published, JSON.parse(JSON.stringify(ruleFileSchema())), hint);
});
