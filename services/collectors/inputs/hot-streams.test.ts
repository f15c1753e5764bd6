import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { HotStreams } from './hot-streams.ts';

interface Owned {
  readonly stream: string;
  readonly owner: string;
}

const open = (pieceBytes: number) => new HotStreams<Owned>(pieceBytes, ({ owner }) => owner);

/** Reads streams whose pieces are `sizes` each, for so many passes; bytes by stream. */
function read(hot: HotStreams<Owned>, sizeOf: (stream: string) => number, passes: number) {
  const given = new Map<string, number>();
  for (let i = 0; i < passes; i += 1) {
    for (const stream of hot.pass()) {
      const size = sizeOf(stream);
      hot.charge(size);
      given.set(stream, (given.get(stream) ?? 0) + size);
    }
  }
  return given;
}

const projectOf = (stream: string): string => stream.split('/')[0] ?? '';

test('ten full files of one project are read as much as one full file of another', () => {
  const hot = open(100);
  for (let i = 0; i < 10; i += 1) hot.add({ stream: `hog/${i}`, owner: 'hog' });
  hot.add({ stream: 'quiet/0', owner: 'quiet' });
  const given = read(hot, () => 100, 100);
  const hog = [...given].filter(([stream]) => projectOf(stream) === 'hog');
  assert.equal(given.get('quiet/0'), 20_000);
  assert.equal(
    hog.reduce((sum, [, bytes]) => sum + bytes, 0),
    20_000,
  );
  assert.deepEqual([...new Set(hog.map(([, bytes]) => bytes))], [2_000]);
});

test('files without anything cost no turn, and the one that has something is read each pass', () => {
  const hot = open(100);
  for (let i = 0; i < 50; i += 1) hot.add({ stream: `a/${i}`, owner: 'a' });
  const given = read(hot, (stream) => (stream === 'a/33' ? 200 : 0), 10);
  assert.equal(given.get('a/33'), 2_000);
});

test('a stream follows its project, and what is deleted is not visited, not even in this pass', () => {
  const hot = open(500);
  for (const stream of ['a', 'b', 'c']) hot.add({ stream: stream, owner: 'unattributed' });
  hot.add({ stream: 'b', owner: 'etl' });
  const seen: string[] = [];
  for (const stream of hot.pass()) {
    seen.push(stream);
    hot.delete('c');
  }
  assert.deepEqual([...new Set(seen)], ['a', 'b']);
  assert.deepEqual([hot.has('b'), hot.has('c')], [true, false]);
});

test('any files: everyone is served by a turn a pass, and every file is reached', () => {
  const files = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 250 })),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(files, (all) => {
      const hot = open(50);
      const sizes = new Map(all.map(([project, size], i) => [`${project}/${i}`, size]));
      for (const stream of sizes.keys()) hot.add({ stream: stream, owner: projectOf(stream) });
      const passes = 200;
      const given = read(hot, (stream) => sizes.get(stream) ?? 0, passes);
      assert.equal(given.size, sizes.size);
      for (const project of ['a', 'b', 'c']) {
        const bytes = [...given].filter(([stream]) => projectOf(stream) === project);
        const sum = bytes.reduce((total, [, size]) => total + size, 0);
        assert.ok(sum <= passes * 100 + 250, `${project} ${sum}`);
      }
    }),
  );
});
