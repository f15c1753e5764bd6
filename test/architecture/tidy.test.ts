import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { TIDY_RULES, type TreeFile, tidyProblems } from './tidy.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const TEXT = /\.(ts|js|cjs|json|md|html|css|yaml|yml|sh)$|^\.ci\/run$/;

function tree(): TreeFile[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return listed
    .split('\n')
    .filter((path) => TEXT.test(path) && path !== 'package-lock.json')
    .filter((path) => !path.startsWith('test/architecture/tidy') && existsSync(join(ROOT, path)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

test('the tree is tidy', () => {
  assert.deepEqual(tidyProblems(tree()), []);
});

/** One planted breach for each rule. */
const PLANTED: Record<string, TreeFile[]> = {
  'time-only-in-the-clock': [{ path: 'services/api/a.ts', text: 'const t = Date.now();' }],
  'randomness-is-an-argument': [{ path: 'shared/values/a.ts', text: 'const r = Math.random();' }],
  'no-module-mocks': [{ path: 'test/a.test.ts', text: "mock.module('../a.ts', {});" }],
  'no-vague-names': [{ path: 'shared/values/string-utils.ts', text: '' }],
  'every-folder-has-a-readme': [{ path: 'services/thing/start.ts', text: '' }],
  'every-todo-names-an-issue': [{ path: 'services/api/a.ts', text: '// @TODO later' }],
  'no-machine-paths': [{ path: 'services/api/a.ts', text: "const p = '/home/somebody/x';" }],
  'no-skipped-tests': [{ path: 'services/api/a.test.ts', text: "test.skip('x', () => {});" }],
  'tests-keep-up': [{ path: 'services/api/a.ts', text: 'a\n'.repeat(100) }],
  'readme-is-short': [{ path: 'README.md', text: 'line\n'.repeat(81) }],
};

for (const { name } of TIDY_RULES) {
  test(`the tidy rule ${name} catches a planted breach`, () => {
    const planted = PLANTED[name];
    assert.ok(planted, `plant a breach of ${name}`);
    const problems = tidyProblems(planted);
    assert.ok(
      problems.some((problem) => problem.startsWith(`${name}: `)),
      `nothing caught in ${JSON.stringify(problems)}`,
    );
  });
}
