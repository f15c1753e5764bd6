import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePathPattern, isNamedBy } from './path-pattern.ts';
import { rotatedName } from './rotated-name.ts';

const leaf = (pattern: string, name: string): object | undefined => {
  const captures = compilePathPattern(pattern, '/').segments.at(-1)?.match(name);
  return captures === undefined ? undefined : { ...captures };
};

test('the root is what comes before the first free part', () => {
  const root = (pattern: string): string => compilePathPattern(pattern, '/srv').root;
  assert.equal(root('/logs/{application}/{container}/stderr'), '/logs');
  assert.equal(root('work/{application}/{container}/stderr'), '/srv/work');
  assert.equal(root('/var/log/app.log'), '/var/log');
  assert.equal(root('/**/stderr'), '/');
  assert.equal(root('/logs/{a}-x/./b'), '/logs');
});

test('free parts match within one name and capture it', () => {
  assert.deepEqual(leaf('/l/{name}.log', 'a.b.log'), { name: 'a.b' });
  assert.deepEqual(leaf('/l/{ns}_{pod}_{uid}', 'n_p-1_u_2'), { ns: 'n', pod: 'p-1', uid: 'u_2' });
  assert.deepEqual(leaf('/l/std*', 'stdout'), {});
  assert.deepEqual(leaf('/l/*.log', '.log'), undefined);
  assert.deepEqual(leaf('/l/a*b', 'ab'), undefined);
  assert.deepEqual(leaf('/l/stderr', 'stderr2'), undefined);
});

test('a pattern names paths as the walk through folders does', () => {
  const names = (pattern: string, path: string) =>
    isNamedBy(compilePathPattern(pattern, '/srv'), path);
  assert.ok(names('/logs/{application}/{container}/std*', '/logs/a/c/stderr'));
  assert.ok(!names('/logs/{application}/{container}/std*', '/logs/a/stderr'));
  assert.ok(!names('/logs/{application}/{container}/std*', '/logs/a/c/stderr/x'));
  assert.ok(!names('/logs/*.log', '/logs2/x.log'));
  assert.ok(names('/logs/**/stderr', '/logs/stderr'));
  assert.ok(names('/logs/**/stderr', '/logs/a/b/stderr'));
  assert.ok(!names('/logs/**/stderr', '/logs/a/b/stdout'));
  assert.ok(names('/**/x', '/a/x'));
});

test('a name of __proto__ captures as any other', () => {
  const captures = compilePathPattern('/l/{application}', '/').segments[0]?.match('__proto__');
  assert.equal(captures?.['application'], '__proto__');
  assert.equal(Object.getPrototypeOf(captures), null);
});

test('a name built from a pattern matches it, with what went in', () => {
  const part = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(part, part, part, (a, b, c) => {
      assert.deepEqual(leaf('/l/{a}-{b}.{c}', `${a}-${b}.${c}`), { a, b, c });
    }),
  );
});

test('what cannot be understood is refused with its reason', () => {
  for (const [pattern, why] of [
    ['/l/../x', /"\.\." is not allowed/],
    ['/l/**', /must name files/],
    ['/l/{a}{b}', /fixed text between/],
    ['/l/{a}/{a}', /stands in it twice/],
    ['/l/{A b}', /no \{name\}/],
    ['/', /names no file/],
  ] as const) {
    assert.throws(() => compilePathPattern(pattern, '/'), why);
  }
});

test('names that rotation gives lead back to the file', () => {
  const first = (name: string): string | undefined => rotatedName(name)?.bases[0];
  assert.equal(first('stderr.1'), 'stderr');
  assert.equal(first('x.log.12.gz'), 'x.log');
  assert.equal(first('x.log-20261121'), 'x.log');
  assert.equal(first('stderr--2026-11-21--10-05'), 'stderr');
  assert.equal(first('x.log.zst'), 'x.log');
  assert.equal(first('stderr'), undefined);
  assert.equal(first('application_1795247888953_0003'), undefined);
  assert.deepEqual(rotatedName('log4j-2026-11-21-10.log.gz')?.bases, [
    'log4j.log',
    'log4j-active.log',
    'log4j-2026-11-21-10.log',
  ]);
});
