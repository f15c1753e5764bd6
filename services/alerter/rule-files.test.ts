import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/running-tollgate.ts';
import { RuleFiles } from './rule-files.ts';

function rule(name: string, limit = 80): string {
  return `
  - alert: ${name}
    severity: warning
    owner: platform
    signal: { kind: balance, measure: used-percent }
    when: { above: ${limit} }
    annotations: { summary: "{{project}} has used {{value}} %" }`;
}

const file = (...rules: readonly string[]): string => `rules:${rules.join('')}\n`;

async function world() {
  const folder = await temporaryFolder();
  const files = new RuleFiles([folder.path]);
  return {
    files,
    path: (name: string) => join(folder.path, name),
    write: (name: string, text: string) => writeFile(join(folder.path, name), text),
    names: async () => [...(await files.look()).rules.keys()].sort(),
    problems: () =>
      files.current.problems.map(
        ({ file: where, line, message }) =>
          `${where.slice(folder.path.length + 1)}:${line} ${message}`,
      ),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('a file that comes, changes or goes counts from the next look', async () => {
  await using there = await world();
  await there.write('a.yaml', file(rule('A')));
  assert.deepEqual(await there.names(), ['A']);
  await there.write('b.yml', file(rule('B')));
  await there.write('.hidden.yaml', file(rule('Hidden')));
  await there.write('notes.txt', 'rules');
  assert.deepEqual(await there.names(), ['A', 'B']);
  const { current } = there.files;
  assert.equal(await there.files.look(), current, 'nothing changed');
  await there.write('a.yaml', file(rule('A', 90)));
  assert.equal((await there.files.look()).rules.get('A')?.when.limit, 90);
  await rm(there.path('b.yml'));
  assert.deepEqual(await there.names(), ['A', 'B'], 'it may be replaced right now');
  assert.deepEqual(await there.names(), ['A']);
  assert.deepEqual(there.problems(), []);
});

test('a bad edit of a rule leaves it as it was, and the others go on', async () => {
  await using there = await world();
  await there.write('a.yaml', file(rule('A'), rule('B')));
  await there.names();
  await there.write('a.yaml', file(rule('A').replace('above: 80', 'abvoe: 90'), rule('B', 90)));
  const { rules, kept, problems } = await there.files.look();
  assert.deepEqual([rules.get('A')?.when.limit, rules.get('B')?.when.limit], [80, 90]);
  assert.deepEqual([...kept], ['A']);
  assert.ok(problems.length > 0 && problems.every((problem) => problem.rule === 'A'));
  await there.write('a.yaml', file(rule('B')));
  assert.deepEqual(await there.names(), ['B'], 'taken out on purpose');
});

test('a file that is no YAML any more leaves all its rules as they were', async () => {
  await using there = await world();
  await there.write('a.yaml', file(rule('A')));
  await there.write('b.yaml', file(rule('B')));
  await there.names();
  await there.write('a.yaml', 'rules: [');
  assert.deepEqual(await there.names(), ['A', 'B']);
  assert.match(there.problems().join(), /^a\.yaml:1 /);
  await there.write('a.yaml', file());
  assert.match(there.problems().join(), /^a\.yaml:1 /);
  await there.write('a.yaml', 'rules: []');
  assert.deepEqual(await there.names(), ['B']);
});

test('of two rules of one name the one that was there first goes on', async () => {
  await using there = await world();
  await there.write('b.yaml', file(rule('A', 90)));
  await there.names();
  await there.write('a.yaml', file(rule('A', 70), rule('C')));
  assert.deepEqual(await there.names(), ['A', 'C']);
  assert.equal(there.files.current.rules.get('A')?.when.limit, 90);
  assert.match(
    there.problems().join(),
    /^a\.yaml:2 another rule is called A in .*b\.yaml:2; rename/,
  );
  await there.write('c.yaml', file(rule('D', 1), rule('D', 2)));
  await there.names();
  assert.equal(there.files.current.rules.get('D')?.when.limit, 1);
  assert.match(there.problems().join('\n'), /c\.yaml:8 another rule is called D in .*c\.yaml:2/);
});

test('a folder that is away or empty takes no rule away', async () => {
  await using there = await world();
  const below = there.path('rules');
  const files = new RuleFiles([below]);
  await mkdir(below);
  await writeFile(join(below, 'a.yaml'), file(rule('A')));
  assert.deepEqual([...(await files.look()).rules.keys()], ['A']);
  await rename(below, there.path('away'));
  for (let i = 0; i < 3; i += 1) await files.look();
  assert.deepEqual([...files.current.rules.keys()], ['A']);
  assert.match(files.current.problems[0]?.message ?? '', /it can't be read: it is not there/);
  await mkdir(below);
  for (let i = 0; i < 3; i += 1) await files.look();
  assert.deepEqual([...files.current.rules.keys()], ['A']);
  assert.match(files.current.problems[0]?.message ?? '', /it holds no rule file/);
});

test('what is no file, or too large, is a problem with its path', async () => {
  await using there = await world();
  await mkdir(there.path('folder.yaml'));
  await there.write('large.yaml', `rules: []\n#${'x'.repeat(1_100_000)}`);
  await symlink(there.path('nowhere'), there.path('link.yaml'));
  await there.write('ok.yaml', file(rule('A')));
  assert.deepEqual(await there.names(), ['A']);
  assert.deepEqual(there.problems(), [
    'folder.yaml:1 it is no file',
    'large.yaml:1 it has more than 1048576 bytes; split it',
    "link.yaml:1 it can't be read: it is not there",
  ]);
});
