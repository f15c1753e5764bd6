import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Series } from '../../../shared/contracts/metric-point.ts';
import { GraphiteReader } from './graphite-reader.ts';
import { parseGraphiteLine } from './parse/graphite-line.ts';
import { PointBatch } from './point-batch.ts';
import { SeriesTable } from './series-table.ts';

interface Read {
  readonly points: readonly string[];
  readonly dropped: Record<string, number>;
  readonly quarantined: readonly string[];
}

/** Every name is a series here, called as it stands in the line. */
function readPieces(pieces: readonly Buffer[], maxLineBytes = 300): Read {
  const names: string[] = [];
  const declare = (series: Series): number => names.push(series.field) - 1;
  const table = new SeriesTable({ declare }, { maxNames: 1e6, maxSeriesPerProject: 1e6 });
  const reader = new GraphiteReader(table, {
    source: 'test',
    maxLineBytes,
    notBefore: () => 0,
    notAfter: () => 1e15,
    observedAt: () => 0,
    resolve: (name) => ({
      series: { measurement: 'm', field: name, tags: { project: 'p' } },
      provisional: false,
    }),
  });
  const batch = new PointBatch();
  for (const piece of pieces) reader.read(piece, batch);
  reader.end(batch);
  const { series, at, value, length } = batch.block;
  return {
    points: Array.from({ length }, (_, i) => `${names[series[i] ?? 0]} ${value[i]} ${at[i]}`),
    dropped: Object.fromEntries(batch.dropped),
    quarantined: batch.quarantined.map(({ reason, raw }) => `${reason}: ${raw}`),
  };
}

const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((n) => n.toFixed(2)),
  fc.constantFrom(
    'NaN',
    '-Infinity',
    '',
    '-',
    '1.',
    '.',
    '1.2.3',
    '00012',
    '9007199254740993',
    '-0',
  ),
);
const line = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.stringMatching(/^[a-zé.$_-]{1,12}$/), number, fc.nat(2e9))
      .map((p) => p.join(' ')),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }).map((s) => s.replaceAll('\n', ' ')) },
  { weight: 1, arbitrary: fc.constantFrom('', 'x'.repeat(400), 'a 1 2\r', 'a  1  2', 'a b 1 2') },
);

test('any cut of the bytes into pieces reads the same', () => {
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.array(fc.nat(500), { maxLength: 30 }),
      fc.boolean(),
      (lines, sizes, cutOff) => {
        const bytes = Buffer.from(lines.join('\n') + (cutOff ? '' : '\n'));
        const pieces: Buffer[] = [];
        let start = 0;
        for (const size of sizes) {
          pieces.push(bytes.subarray(start, start + size));
          start += size;
        }
        pieces.push(bytes.subarray(start));
        assert.deepEqual(readPieces(pieces), readPieces([bytes]));
      },
    ),
  );
});

test('lines read from bytes give what the plain parser gives', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z.]{1,9}$/), number, fc.nat(2e9), (name, value, seconds) => {
      const text = `${name} ${value} ${seconds}`;
      const fate = parseGraphiteLine(text);
      const read = readPieces([Buffer.from(`${text}\n`)]);
      const expected =
        fate.fate === 'kept' ? [`${name} ${fate.record.value} ${fate.record.at}`] : [];
      assert.deepEqual(read.points, expected, text);
    }),
  );
});

test('a line without end takes no memory, and the next one is read', () => {
  const piece = Buffer.alloc(65_536, 'x');
  const pieces = Array.from({ length: 160 }, () => piece);
  const read = readPieces([...pieces, Buffer.from(' 1 2\na 3 4\n')]);
  assert.deepEqual(read, {
    points: ['a 3 4000'],
    dropped: { 'line-too-long': 1 },
    quarantined: [],
  });
});

test('a line is refused with the text that its sender wrote', () => {
  const read = readPieces([Buffer.from('größe x 1\n')]);
  assert.deepEqual(read.quarantined, ['malformed-line: größe x 1']);
});
