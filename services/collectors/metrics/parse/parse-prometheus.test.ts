import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  isWholeExposition,
  type PrometheusDialect,
  type PrometheusSample,
  parsePrometheus,
} from './parse-prometheus.ts';

function read(text: string, dialect: PrometheusDialect = 'text') {
  return [...parsePrometheus(text, dialect, 4_096)];
}

function samples(text: string, dialect: PrometheusDialect = 'text') {
  return read(text, dialect).map((fate) => {
    assert.equal(fate.fate, 'kept', JSON.stringify(fate));
    const { name, labels, value, at } = (fate as { record: PrometheusSample }).record;
    return [name, Object.fromEntries(labels), value, at];
  });
}

function reasons(text: string, dialect: PrometheusDialect = 'text') {
  return read(text, dialect).map((fate) =>
    fate.fate === 'kept' ? 'kept' : `${fate.fate} ${fate.reason}`,
  );
}

/** Made by hand from prometheus.io/docs/instrumenting/exposition_formats. */
const TEXT = String.raw`# HELP http_requests_total The total number of "requests".
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400",}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find \"FILE\" \d"} 1.458255915e9
# Minimalistic line:
metric_without_timestamp_and_labels 12.47
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{ quantile = "0.99" } 76656
`;

test('the text format: labels, escapes, blanks, timestamps, histograms and summaries', () => {
  assert.deepEqual(samples(TEXT), [
    ['http_requests_total', { method: 'post', code: '200' }, 1027, 1395066363000],
    ['http_requests_total', { method: 'post', code: '400' }, 3, 1395066363000],
    [
      'msdos_file_access_time_seconds',
      { path: String.raw`C:\DIR\FILE.TXT`, error: String.raw`Cannot find "FILE" \d` },
      1.458255915e9,
      undefined,
    ],
    ['metric_without_timestamp_and_labels', {}, 12.47, undefined],
    ['http_request_duration_seconds_bucket', { le: '0.05' }, 24054, undefined],
    ['http_request_duration_seconds_bucket', { le: '+Inf' }, 144320, undefined],
    ['http_request_duration_seconds_sum', {}, 53423, undefined],
    ['http_request_duration_seconds_count', {}, 144320, undefined],
    ['rpc_duration_seconds', { quantile: '0.99' }, 76656, undefined],
  ]);
});

test('OpenMetrics: times are seconds, an exemplar is not read, and # EOF is the end', () => {
  const text = [
    '# TYPE foo histogram',
    '# UNIT foo seconds',
    'foo_bucket{le="0.1"} 8 # {trace_id="a # b"} 0.067 1520879607.7',
    'foo_bucket{le="+Inf"} 17 1520879607.789',
    'foo_created 1520430000.123',
    '# EOF',
    'late 1',
    '',
  ].join('\n');
  assert.deepEqual(samples(text, 'openmetrics'), [
    ['foo_bucket', { le: '0.1' }, 8, undefined],
    ['foo_bucket', { le: '+Inf' }, 17, 1520879607789],
    ['foo_created', {}, 1520430000.123, undefined],
  ]);
  assert.equal(isWholeExposition('a 1\n# EOF\n', 'openmetrics'), true);
  assert.equal(isWholeExposition('a 1\n', 'openmetrics'), false);
  assert.equal(isWholeExposition('a 1\n', 'text'), true);
});

test('what is no number is dropped, and what is no line is refused with its reason', () => {
  assert.deepEqual(reasons('a NaN\nb +Inf\nc{x="1"} -inf 5\nd 1e999\n'), [
    'dropped not-a-number',
    'dropped not-a-number',
    'dropped not-a-number',
    'dropped not-a-number',
  ]);
  const malformed = [
    '{} 1',
    '1a 1',
    'a',
    'a{',
    'a{b} 1',
    'a{b="c} 1',
    'a{b="c"d="e"} 1',
    'a{b="c",b="d"} 1',
    'a{b-c="d"} 1',
    'a 0x10',
    'a 1_000',
    'a 1 1.5',
    'a 1 2 3',
    'a 1 99999999999999999',
    'a{b="c"}',
    `${'n'.repeat(256)} 1`,
    `a{b="${'v'.repeat(513)}"} 1`,
    `a{b="\\n"} 1`,
    `a{${Array.from({ length: 33 }, (_, i) => `l${i}="x"`).join(',')}} 1`,
  ];
  assert.deepEqual(
    reasons(`${malformed.join('\n')}\n`),
    malformed.map(() => 'quarantined malformed-line'),
  );
});

test('a line over the limit is dropped, and so is a last one without its newline', () => {
  assert.deepEqual(reasons(`a{b="${'v'.repeat(5_000)}"} 1\r\nb 1\r\nc 12`), [
    'dropped line-too-long',
    'kept',
    'dropped partial-line',
  ]);
});

test("Spark's executors are found under any name of their application, which Spark doesn't escape", () => {
  const line = (name: string): string =>
    `metrics_executor_rddBlocks{application_id="app-1", application_name="${name}", executor_id="7"} 3\n`;
  for (const name of ['orders', 'a "quoted" name', 'a\\', 'x", executor_id="9', 'x"} 5 1', 'é{}']) {
    const [sample] = samples(line(name));
    assert.deepEqual(sample, [
      'metrics_executor_rddBlocks',
      { application_id: 'app-1', executor_id: '7' },
      3,
      undefined,
    ]);
  }
  assert.deepEqual(reasons(line('two\nlines')), [
    'quarantined malformed-line',
    'quarantined malformed-line',
  ]);
});

test('labels of any text come back as they were written', () => {
  const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,20}$/);
  const value = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((v) => !/\p{Cc}/u.test(v));
  fc.assert(
    fc.property(
      fc.dictionary(name, value, { maxKeys: 8 }),
      fc.double({ noNaN: true }),
      (labels, v) => {
        fc.pre(Number.isFinite(v) && !Object.is(v, -0));
        const escaped = Object.entries(labels).map(
          ([key, text]) => `${key}="${text.replace(/["\\]/g, '\\$&')}"`,
        );
        const [sample] = samples(`m{${escaped.join(',')}} ${v}\n`);
        assert.deepEqual(sample, ['m', { ...labels }, v, undefined]);
      },
    ),
  );
});

test('hostile text gives fates, and takes no time that grows beyond its length', () => {
  const piece = fc.constantFrom(
    ...'{}",=\\ #\n\r\t\0',
    'a',
    '1',
    'é',
    '# EOF',
    'metrics_executor_x',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('');
      for (const dialect of ['text', 'openmetrics'] as const) {
        assert.ok(read(text, dialect).length <= text.split('\n').length);
      }
    }),
  );
  const deep = `a{${'b="'.repeat(1_000)}\n${'a'.repeat(4_000)}\n${'{'.repeat(4_000)}\n`;
  assert.deepEqual(reasons(deep.repeat(100)).slice(0, 3), [
    'quarantined malformed-line',
    'quarantined malformed-line',
    'quarantined malformed-line',
  ]);
});
