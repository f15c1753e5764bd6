import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../../../test/support/run-command.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { rulesCommand } from './rules-command.ts';

const RULES = `
rules:
  - alert: QuotaUsed
    severity: warning
    owner: platform
    signal: { kind: balance, measure: used-percent }
    when: { above: 80 }
    for: 2m
    annotations: { summary: "{{project}} has used {{value}} % at {{cost.perHour}} an hour" }
`;

const TESTS = `
rule_files: [rules.yaml]
tests:
  - name: a project uses up its credits
    start: 2026-11-21T09:00:00Z
    interval: 1m
    input:
      signals:
        - rule: QuotaUsed
          labels: { project: etl }
          values: 70 90x3 70
          unit: "%"
          cost: { per_hour: "3", so_far: "12" }
    at:
      - { time: 2m, alerts: [] }
      - time: 3m
        alerts:
          - alert: QuotaUsed
            labels: { project: etl }
            severity: warning
            value: 90
            annotations: { summary: etl has used 90 % at 3 an hour }
      - { time: 5m, alerts: [{ alert: QuotaUsed, labels: { project: etl }, state: resolved }] }
  - name: what fails or vanishes ends nothing as resolved
    input:
      signals:
        - { rule: QuotaUsed, labels: { project: etl }, values: 90x9 stale }
        - { rule: QuotaUsed, labels: { project: ml }, values: _x3 }
      faults:
        - { rule: QuotaUsed, from: 4m, until: 6m, failed: the ledger is away }
        - { rule: QuotaUsed, from: 6m, until: 7m, behind: 1h }
    at:
      - time: 5m
        alerts: [{ alert: QuotaUsed, labels: { project: etl }, verdict: error }]
      - time: 6m
        alerts: [{ alert: QuotaUsed, labels: { project: etl }, verdict: stale }]
      - time: 12m
        alerts: [{ alert: QuotaUsed, labels: { project: etl }, state: gone }]
`;

async function world(texts: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder.path, name), text);
  const path = (name: string): string => join(folder.path, name);
  return {
    path,
    run: (...args: readonly string[]) =>
      runCommand(rulesCommand, [
        'rules',
        ...args.map((arg) => (arg.includes('.') ? path(arg) : arg)),
      ]),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('rules that are fine are counted', async () => {
  await using there = await world({ 'rules.yaml': RULES });
  const { exitCode, out } = await there.run('check', 'rules.yaml');
  assert.deepEqual([exitCode, out], [0, '1 rules are fine\n']);
});

test('all problems are told with their lines, and as JSON', async () => {
  const bad = RULES.replace('above: 80', 'abvoe: 80').replace('2m', '2');
  await using there = await world({ 'rules.yaml': `${bad}${RULES.replace('rules:', '')}` });
  const { exitCode, err } = await there.run('check', 'rules.yaml');
  assert.equal(exitCode, 1);
  const lines = err.replaceAll(there.path('rules.yaml'), 'F').trimEnd().split('\n');
  assert.ok(
    lines.some((line) =>
      /^F:7:13 QuotaUsed: "abvoe" is no option; did you mean "above"\?$/.test(line),
    ),
  );
  assert.ok(
    lines.some((line) => /^F:8:10 QuotaUsed: for: must be (string|a duration)/.test(line)),
    err,
  );
  assert.match(lines.at(-1) ?? '', /1 rules are fine; 3 problems beside/);
  const json = await there.run('check', 'rules.yaml', '--json');
  const { rules, problems } = JSON.parse(json.out);
  assert.deepEqual([json.exitCode, rules, problems.length], [1, ['QuotaUsed'], 3]);
});

test('a file that is not there is a problem', async () => {
  await using there = await world({});
  const { exitCode, err } = await there.run('check', 'gone.yaml');
  assert.equal(exitCode, 1);
  assert.match(err, /gone\.yaml:1:1 it can't be read: it is not there/);
});

test('tests of rules are played in virtual time', async () => {
  await using there = await world({ 'rules.yaml': RULES, 'tests.yaml': TESTS });
  const { exitCode, out } = await there.run('test', 'tests.yaml');
  assert.equal(exitCode, 0, out);
  assert.match(out, /ok {3}.*a project uses up its credits\nok {3}.*\n2 passed, 0 failed\n$/);
});

test('what fires unexpectedly, does not fire, or is not as said fails, with its time', async () => {
  const edits: readonly (readonly [string, string, RegExp])[] = [
    [
      '{ time: 2m, alerts: [] }',
      '{ time: 4m, alerts: [] }',
      /at 4m: unexpected: QuotaUsed\{"project":"etl"\} is firing/,
    ],
    [
      'labels: { project: etl }\n            severity',
      'labels: { project: x }\n            severity',
      /at 3m: QuotaUsed\{"project":"x"\} is expected firing and never was/,
    ],
    ['value: 90', 'value: 91', /value is 90, not 91/],
    ['etl has used 90 %', 'etl has used 91 %', /annotation summary is "etl has used 90/],
    ['state: resolved', 'state: gone', /at 5m: .* state is "resolved", not "gone"/],
    ['severity: warning', 'severity: critical', /severity is "warning", not "critical"/],
    ['verdict: stale', 'verdict: ok', /at 6m: .* verdict is "stale", not "ok"/],
  ];
  for (const [from, to, message] of edits) {
    const tests = TESTS.replace(from, to);
    assert.notEqual(tests, TESTS);
    await using there = await world({ 'rules.yaml': RULES, 'tests.yaml': tests });
    const { exitCode, out } = await there.run('test', 'tests.yaml');
    assert.deepEqual([exitCode, message.test(out)], [1, true], out);
  }
});

test('a test that says what nobody would hear is refused', async () => {
  const refused = async (from: string, to: string): Promise<string> => {
    const tests = TESTS.replace(from, to);
    assert.notEqual(tests, TESTS);
    await using there = await world({ 'rules.yaml': RULES, 'tests.yaml': tests });
    const { exitCode, out } = await there.run('test', 'tests.yaml');
    assert.equal(exitCode, 1, out);
    return out;
  };
  assert.match(
    await refused('- rule: QuotaUsed', '- rule: QuotaUesd'),
    /no rule is called QuotaUesd/,
  );
  assert.match(
    await refused('70 90x3 70', '70 90y3'),
    /tests\.yaml:11:19 tests\[0\]\.input\.signals\[0\]\.values: "90y3" is no value/,
  );
  assert.match(await refused('interval: 1m', 'intreval: 1m'), /did you mean "interval"/);
  assert.match(await refused('rules.yaml', 'nothing.yaml'), /nothing\.yaml:1:1 it can't be read/);
  assert.match(await refused('time: 12m', 'time: 300d'), /432000 evaluations, more than 200000/);
});

const NOTIFIED = TESTS.replace(
  'tests:',
  'notify: { route: { receiver: ops, group_wait: 30s, group_interval: 1m } }\ntests:',
)
  .replace('{ time: 2m, alerts: [] }', '{ time: 2m, alerts: [], notifications: [] }')
  .replace(
    'state: resolved }] }',
    `state: resolved }], notifications: [
          { receiver: ops, reason: first-notification, firing: [QuotaUsed] }] }
      - { time: 7m, alerts: [], notifications: [
          { receiver: ops, reason: all-resolved, ended: [QuotaUsed] }] }`,
  );

test('who is told of it, why, and when nobody is, belongs to the story', async () => {
  await using there = await world({ 'rules.yaml': RULES, 'tests.yaml': NOTIFIED });
  const { exitCode, out } = await there.run('test', 'tests.yaml');
  assert.equal(exitCode, 0, out);
  const edits: readonly (readonly [string, string, RegExp])[] = [
    [
      'firing: [QuotaUsed]',
      'firing: [Other]',
      /at 5m: expected: ops is told \(first-notification\) of firing: Other; ended: none/,
    ],
    ['group_wait: 30s', 'group_wait: 30m', /at 5m: expected: ops is told \(first/],
    [
      '{ receiver: ops, reason: all-resolved, ended: [QuotaUsed] }',
      '',
      /at 7m: unexpected: ops is told \(all-resolved\) of firing: none; ended: QuotaUsed/,
    ],
    ['notify: {', 'x: {', /expects notifications of a file without "notify"/],
  ];
  for (const [from, to, message] of edits) {
    assert.ok(NOTIFIED.includes(from));
    await using edited = await world({
      'rules.yaml': RULES,
      'tests.yaml': NOTIFIED.replace(from, to),
    });
    const failed = await edited.run('test', 'tests.yaml');
    assert.deepEqual([failed.exitCode, message.test(failed.out)], [1, true], failed.out);
  }
});

test('results come as JSON, too', async () => {
  await using there = await world({ 'rules.yaml': RULES, 'tests.yaml': TESTS });
  const { out } = await there.run('test', 'tests.yaml', '--json');
  const { tests, failed, results } = JSON.parse(out);
  assert.deepEqual([tests, failed, results[0].test], [2, 0, 'a project uses up its credits']);
});

test('the schema of rule files is printed', async () => {
  const { out } = await runCommand(rulesCommand, ['rules', 'schema']);
  assert.ok('rules' in JSON.parse(out).properties);
});
