import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/any-text.ts';
import { testDigest } from '../../test/support/rule-builders.ts';
import { parseRuleFile } from './parse-rule-file.ts';

const RULE = `
  - alert: QuotaUsed
    severity: warning
    owner: platform
    signal: { kind: balance, measure: used-percent }
    when: { above: 80 }
    annotations:
      summary: "{{project}} has used {{value}} %"
`;

const parse = (text: string) => parseRuleFile('quota.yaml', text, testDigest);

/** Problems of one rule whose lines are changed. */
function problems(from: string | RegExp, to: string): string[] {
  const text = `rules:${RULE.replace(from, to)}`;
  assert.notEqual(text, `rules:${RULE}`);
  return parse(text).problems.map(({ line, message }) => `${line}: ${message}`);
}

test('a rule is read with its defaults, its place and its version', () => {
  const { rules, readable } = parse(`rules:${RULE}`);
  const [rule] = rules;
  assert.equal(readable, true);
  assert.deepEqual(
    [rule?.name, rule?.forMs, rule?.everyMs, rule?.staleAfterMs, rule?.limit, rule?.noData],
    ['QuotaUsed', 0, 60_000, 600_000, 1_000, 'keep'],
  );
  assert.deepEqual(rule?.place, { file: 'quota.yaml', line: 2 });
  assert.match(rule?.version ?? '', /^[0-9a-f]{32}-[0-9a-f]{32}$/);
});

test('the version tells a change of what a breach is from a change of what is said', () => {
  const version = (from: string, to: string): string[] =>
    parse(`rules:${RULE.replace(from, to)}`).rules[0]?.version.split('-') ?? [];
  const [condition, rest] = version('', '');
  const [sameCondition, otherRest] = version('has used', 'used');
  assert.deepEqual([sameCondition === condition, otherRest === rest], [true, false]);
  const [otherCondition, sameRest] = version('80', '85');
  assert.deepEqual([otherCondition === condition, sameRest === rest], [false, true]);
  assert.deepEqual(
    version('severity: warning\n    owner: platform', 'owner: platform\n    severity: warning'),
    [condition, rest],
  );
});

test('a bad rule is refused with all that is wrong and where; the others are read', () => {
  const bad = `
  - alert: Bad Name
    severity: loud
    signal: { kind: balance, measure: used-percent }
    when: { above: 80, below: 3 }
    fro: 5m
    every: 5
    annotations: { summary: "{{lables.x}}" }
`;
  const { rules, problems: found } = parse(`rules:${bad}${RULE}`);
  assert.deepEqual(
    rules.map(({ name }) => name),
    ['QuotaUsed'],
  );
  assert.deepEqual(
    found.map(({ line, column, message }) => [line, column, message.slice(0, 60)]),
    [
      [2, 12, 'alert: must be a name of letters, digits, _ and -'],
      [3, 15, 'severity: must be one of "info"|"warning"|"critical"'],
      [2, 5, 'owner: is missing'],
      [5, 11, 'when: must have one of above, atLeast, below, atMost, equals'],
      [7, 12, 'every: must be string'],
      [8, 29, 'annotations.summary: has {{lables.x}}, which stands for noth'],
      [6, 5, '"fro" is no option; did you mean "for"?'],
    ],
  );
  assert.deepEqual([...new Set(found.map(({ rule }) => rule))], ['Bad Name']);
});

test('a signal that does not exist is told with those that do', () => {
  assert.match(
    problems('kind: balance', 'kind: balanse')[0] ?? '',
    /^5: signal\.kind: must be one of "metric" \| "log"/,
  );
  assert.match(
    problems('used-percent', 'used')[0] ?? '',
    /^5: signal\.measure: must be one of "used-percent"/,
  );
  assert.match(
    problems('used-percent', 'used-percent, project: [etl]')[0] ?? '',
    /^5: "project" is no option; did you mean "projects"\?/,
  );
});

test('a divisor of zero, an empty choice and an end within the breach are refused', () => {
  const metric =
    'signal: { kind: metric, measurement: jvm, field: heap, function: last, window: 5m, divisor: 0 }';
  assert.match(problems(/signal: .*/, metric).join(), /divisor/);
  assert.match(problems('used-percent', 'used-percent, projects: []').join(), /projects/);
  assert.match(
    problems('when:', 'clear: { below: 90 }\n    when:').join(),
    /clear: holds for values/,
  );
  assert.match(
    problems('owner:', 'labels: { severity: x }\n    owner:').join(),
    /choose another name/,
  );
  assert.match(
    problems('owner:', 'labels: { __proto__: x }\n    owner:').join(),
    /4: "__proto__" is no name/,
  );
  assert.match(
    problems('owner:', 'runbook: ../../etc/x.md\n    owner:').join(),
    /runbook: must be a file/,
  );
});

test('a file that is no list of rules is unreadable, with its line', () => {
  const lineOf = (text: string) => {
    const { problems: found, readable, rules } = parse(text);
    assert.deepEqual([readable, rules.length], [false, 0]);
    return found.map(({ line, message }) => `${line}: ${message}`).join();
  };
  assert.match(lineOf('rules:\n  - alert: [\n'), /^[23]: /);
  assert.match(lineOf(''), /must have a list of rules/);
  assert.match(lineOf('rules: {}'), /must have a list of rules/);
  assert.match(lineOf(`rules: []\nrules: []`), /2: Map keys must be unique/);
  assert.match(lineOf(`rules: []\n#${'x'.repeat(1_100_000)}`), /more than 1048576 bytes/);
  assert.match(lineOf(`rules:\n${'  - {}\n'.repeat(1_001)}`), /more than 1000 rules/);
  const bomb = ['a0: &a0 [x]'];
  for (let i = 1; i < 12; i += 1) bomb.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
  assert.match(lineOf(bomb.join('\n')), /aliases can't be followed/);
});

test('a stranger beside the rules is named, and the rules are read', () => {
  const { rules, problems: found } = parse(`groups: []\nrules:${RULE}`);
  assert.deepEqual([rules.length, found[0]?.message], [1, '"groups" is no option; known: rules']);
});

test('whatever stands in a file, it is read or refused with a line', () => {
  const value = fc.oneof(
    anyText({ maxLength: 20 }),
    fc.constantFrom('5m', '{ kind: log }', '-1', '~'),
  );
  const name = fc.constantFrom(
    'alert',
    'when',
    'signal',
    'for',
    'labels',
    'annotations',
    '__proto__',
  );
  const line = fc.tuple(name, value).map(([key, text]) => `    ${key}: ${text}\n`);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const { rules, problems: found } = parse(`rules:\n  -\n${lines.join('')}`);
      assert.ok(rules.length > 0 || found.length > 0);
      for (const problem of found) assert.ok(problem.line >= 1 && problem.column >= 1);
    }),
  );
});
