import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LabelMatcher } from '../stores/silence-store.ts';
import { compileMatchers, matcherProblem, parseMatchers, printMatcher } from './label-matcher.ts';

const matches = (text: string, labels: Record<string, string>): boolean => {
  const parsed = parseMatchers(text);
  assert.ok('matchers' in parsed, JSON.stringify(parsed));
  return compileMatchers(parsed.matchers)(labels);
};

const problemOf = (text: string): string => {
  const parsed = parseMatchers(text);
  return 'problem' in parsed ? parsed.problem : 'none';
};

test('matchers compare labels as Alertmanager does', () => {
  assert.ok(matches('severity="critical"', { severity: 'critical' }));
  assert.ok(matches('severity = critical', { severity: 'critical' }));
  assert.ok(!matches('severity="critical"', { severity: 'critical2' }));
  assert.ok(matches('team=~"a|b"', { team: 'b' }));
  assert.ok(!matches('team=~"a|b"', { team: 'ab' }), 'a pattern matches the whole label');
  assert.ok(matches('team!~"a.*"', { team: 'b' }));
  assert.ok(matches('{a="1",b!="2"}', { a: '1', b: '3' }));
  assert.ok(matches('{a="1", b!="2",}', { a: '1' }), 'a label that is not there is empty');
  assert.ok(matches('team=""', {}));
  assert.ok(matches('"odd name"="x"', { 'odd name': 'x' }));
  assert.ok(matches('text=~".*"', { text: 'two\nlines' }), 'a dot is for line breaks, too');
  assert.ok(!matches('constructor=~".+"', {}), 'what every object has is no label');
});

test('what is no matcher is refused with the place', () => {
  assert.match(problemOf('nonsense'), /no label and =, !=, =~ or !~ at "nonsense"/);
  assert.match(problemOf('a="1" b="2"'), /no comma at "b=/);
  assert.match(problemOf('a='), /no value/);
  assert.match(problemOf('{a="1"'), /one brace only/);
  assert.match(problemOf(''), /holds no matcher/);
  assert.match(problemOf('a=~"("'), /missing closing \): .*RE2 syntax/);
  assert.match(problemOf('a=~"(?=x)"'), /RE2 syntax/);
  assert.match(problemOf(`a="${'x'.repeat(5_000)}"`), /longer than/);
  const nameless = { name: '', value: 'x', isRegex: false, isEqual: true };
  assert.equal(matcherProblem(nameless), 'names no label');
});

test('a catastrophic pattern is answered at once', () => {
  const hostile = `${'a'.repeat(50_000)}!`;
  assert.ok(!matches('a=~"^(a+)+$"', { a: hostile }));
});

test('a matcher that is printed reads as the same', () => {
  const matcher: fc.Arbitrary<LabelMatcher> = fc.record(
    {
      name: fc.stringMatching(/^[a-z_][a-z0-9_]{0,10}$/),
      value: fc
        .string({ unit: 'grapheme', maxLength: 20 })
        .filter((text) => !/[\p{C}]/u.test(text)),
      isRegex: fc.constant(false),
      isEqual: fc.boolean(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(matcher, { minLength: 1, maxLength: 4 }), (matchers) => {
      const parsed = parseMatchers(`{${matchers.map(printMatcher).join(', ')}}`);
      assert.deepEqual(parsed, { matchers });
    }),
  );
});
