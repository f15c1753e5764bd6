import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkRules } from '../../services/alerter/check-rules.ts';
import { testRules } from '../../services/alerter/test-rules.ts';

const ALERTS = join(import.meta.dirname, '../../alerts');
const inFolder = (folder: string): string[] =>
  readdirSync(join(ALERTS, folder)).map((name) => join(ALERTS, folder, name));

test('the rules that are shipped have no problem, and each has a runbook', async () => {
  const { rules, problems } = await checkRules([join(ALERTS, 'rules')]);
  assert.deepEqual(problems, []);
  const runbooks = new Set(readdirSync(join(ALERTS, 'runbooks')));
  const read = new Set<string>();
  for (const { name, runbook } of rules.values()) {
    assert.ok(runbook !== undefined && runbooks.has(runbook), `${name}: ${runbook}`);
    read.add(runbook);
  }
  assert.deepEqual(
    [...runbooks].filter((one) => !read.has(one)),
    [],
    'no rule names them',
  );
});

test('a runbook says what it means, why, where to look, how to stop it, and when it is wrong', () => {
  for (const file of inFolder('runbooks')) {
    const headings = readFileSync(file, 'utf8').match(/^## .*/gm);
    assert.deepEqual(headings, [
      '## What it means',
      '## Why it matters',
      '## What to look at',
      '## How to stop it',
      '## When it is wrong',
    ]);
  }
});

test('each rule fires and is silent when its own tests say so', async () => {
  const { rules } = await checkRules([join(ALERTS, 'rules')]);
  const results = await testRules(inFolder('tests'));
  assert.deepEqual(
    results.filter(({ failures }) => failures.length > 0),
    [],
  );
  const told = results.map((result) => result.test ?? '').join('\n');
  const untested = [...rules.keys()].filter((name) => !told.includes(`${name} fires on`));
  assert.deepEqual(untested, []);
});
