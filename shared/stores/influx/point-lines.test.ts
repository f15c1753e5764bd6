import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InfluxDeclarations } from './influx-declarations.ts';
import { MetricSchema } from './metric-schema.ts';
import { emptyColumns, encodeLines, type PointColumns } from './point-lines.ts';

const schema = new MetricSchema([{ measurement: 'm', fields: ['*'] }]);
const limits = { maxRawSeries: 1_000, maxFields: 1_000 };

type Point = readonly [executor: number, field: number, at: number, value: number];

function columns(points: readonly Point[]): PointColumns {
  const declarations = new InfluxDeclarations(schema, limits);
  const found = emptyColumns(points.length);
  points.forEach(([executor, field, at, value], i) => {
    const tags = { project: 'p', executor: `${executor}` };
    const ref = declarations.declare({ measurement: 'm', field: `f${field}`, tags });
    found.series[i] = declarations.get(ref);
    found.at[i] = at;
    found.value[i] = value;
  });
  found.length = points.length;
  return found;
}

/** What a server holds after these lines: the later value of a series and time stands. */
function stored(text: string, into = new Map<string, number>()): Map<string, number> {
  for (const line of text.split('\n').slice(0, -1)) {
    const [, executor, fields = '', at] =
      /^m,executor=(\d+),project=p (\S+) (-?\d+)$/.exec(line) ?? assert.fail(line);
    const names = fields.split(',').map((field) => field.split('=')[0]);
    assert.equal(new Set(names).size, names.length, 'no field twice in a line');
    for (const field of fields.split(',')) {
      const [name, value] = field.split('=');
      into.set(`${executor} ${name} ${at}`, Number(value));
    }
  }
  return into;
}

test('neighbours of one executor and time share a line, and a repeated field begins another', () => {
  const points = columns([
    [1, 1, 10, 1.5],
    [1, 2, 10, -0],
    [1, 1, 10, 1e21],
    [2, 1, 10, 3],
    [2, 1, 11, 3],
  ]);
  assert.deepEqual(encodeLines(points, 0, 5, 1e6), {
    text:
      'm,executor=1,project=p f1=1.5,f2=-0 10\nm,executor=1,project=p f1=1e+21 10\n' +
      'm,executor=2,project=p f1=3 10\nm,executor=2,project=p f1=3 11\n',
    lines: 4,
    until: 5,
  });
});

test('any points, cut into requests of any size, leave the last value of each', () => {
  const point = fc.tuple(
    fc.nat(2),
    fc.nat(3),
    fc.integer({ min: -3, max: 3 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(
      fc.array(point, { maxLength: 60 }),
      fc.integer({ min: 1, max: 300 }),
      (all, max) => {
        const points = columns(all);
        const found = new Map<string, number>();
        for (let at = 0; at < all.length; ) {
          const part = encodeLines(points, at, all.length, max);
          assert.ok(part.until > at, 'a request holds at least one point');
          assert.equal(part.lines, part.text.split('\n').length - 1);
          stored(part.text, found);
          at = part.until;
        }
        const want = new Map(all.map(([e, f, at, value]) => [`${e} f${f} ${at}`, value]));
        assert.deepEqual([...found].sort(), [...want].sort());
      },
    ),
  );
});
