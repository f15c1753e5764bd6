import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Series } from '../../contracts/metric-point.ts';
import { MetricDeclarations, tagsText } from './metric-declarations.ts';

function series(name: string, more: Record<string, string> = {}): Series {
  return { measurement: 'm', field: name, tags: { project: 'p', ...more } };
}

test('tags have one text, whatever their order, and it reads back with hostile names', () => {
  const hostile = JSON.parse('{"b":"\\u0000","__proto__":"x","10":"y","2":"\\ud800"}');
  const backwards = Object.fromEntries(Object.entries(hostile).reverse()) as Record<string, string>;
  assert.equal(tagsText(hostile), tagsText(backwards));
  assert.deepEqual(
    Object.entries(JSON.parse(tagsText(hostile))).sort(),
    Object.entries(hostile).sort(),
  );
});

test('parts of a series cannot be shifted into each other to look like another one', () => {
  const declarations = new MetricDeclarations();
  const tags = { project: 'p' };
  const refs = [
    { measurement: 'a', field: 'b","c', tags },
    { measurement: 'a","b', field: 'c', tags },
    { measurement: 'a\nb', field: 'c', tags },
    { measurement: 'a', field: 'b\nc', tags },
    { measurement: 'a', field: 'b', tags: { ...tags, 'x":"y","z': 'w' } },
    { measurement: 'a', field: 'b', tags: { ...tags, x: 'y', z: 'w' } },
  ].map((one) => declarations.declare(one));
  assert.equal(new Set(refs).size, refs.length);
});

test('a series without a project is a bug that is not stored', () => {
  const declarations = new MetricDeclarations();
  const tags = JSON.parse('{"__proto__":{"project":"p"}}');
  assert.throws(() => declarations.declare({ measurement: 'm', field: 'f', tags: {} }), /project/);
  assert.throws(() => declarations.declare({ measurement: 'm', field: 'f', tags }), /project/);
  assert.throws(() => declarations.declare(series('f', { project: '' })), /project/);
  assert.equal(declarations.size, 0);
});

test('more series than there was room for keep their ids in the file', () => {
  const declarations = new MetricDeclarations();
  for (let i = 0; i < 3_000; i += 1) {
    const ref = declarations.declare(series(`f${i}`));
    declarations.fileIds[ref] = i + 1;
  }
  assert.deepEqual(
    [declarations.fileIds[0], declarations.fileIds[1_023], declarations.fileIds[2_999]],
    [1, 1_024, 3_000],
  );
  declarations.forgetFileIds();
  assert.ok(declarations.fileIds.every((id) => id === 0));
});

test('a ref in use is never given to another series, one given out again has no id yet', () => {
  const step = fc.tuple(fc.constantFrom('declare', 'release'), fc.nat(5));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const declarations = new MetricDeclarations();
      const users = new Map<string, { ref: number; count: number }>();
      for (const [what, n] of steps) {
        const name = `f${n}`;
        const user = users.get(name);
        if (what === 'declare') {
          const ref = declarations.declare(series(name));
          if (user === undefined) assert.equal(declarations.fileIds[ref], 0);
          else assert.equal(ref, user.ref);
          users.set(name, { ref, count: (user?.count ?? 0) + 1 });
          declarations.fileIds[ref] = 7;
          assert.equal(declarations.row(ref).field, name);
        } else if (user !== undefined) {
          declarations.release([user.ref]);
          if (user.count === 1) users.delete(name);
          else user.count -= 1;
        }
        assert.equal(declarations.size, users.size);
        assert.equal(new Set([...users.values()].map(({ ref }) => ref)).size, users.size);
      }
    }),
  );
});

test('releasing more often than declared is a bug, and so is writing to what was released', () => {
  const declarations = new MetricDeclarations();
  const ref = declarations.declare(series('f'));
  declarations.release([ref]);
  assert.throws(() => declarations.release([ref]), /not yet released/);
  assert.throws(() => declarations.row(ref), /declared by this writer/);
});
