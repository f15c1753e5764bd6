import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { aSample } from '../../../test/support/rule-builders.ts';
import { parseTemplate, renderTemplate, type TemplateFacts } from './annotation-template.ts';

function rendered(text: string, facts: Partial<TemplateFacts> = {}): string {
  const read = parseTemplate(text);
  assert.ok('template' in read, 'problem' in read ? read.problem : '');
  const said = { ...aSample('etl', 91.25), unit: '%', limit: 'above 80 %' };
  return renderTemplate(read.template, { ...said, ...facts });
}

function problem(text: string): string {
  const read = parseTemplate(text);
  return 'problem' in read ? read.problem : '';
}

test('placeholders stand for what the alert knows', () => {
  const text =
    '{{labels.project}} ({{ project }}) is at {{value}} {{unit}}, {{limit}}; {{target.id}}{{target.cluster}} ' +
    'costs {{cost.perHour}} an hour, {{cost.soFar}} so far: {{annotations.cause}}';
  assert.equal(
    rendered(text, { annotations: { cause: 'price' } }),
    'etl (etl) is at 91.25 %, above 80 %; etl costs 1.5 an hour, 12 so far: price',
  );
});

test('what is not there is said to be', () => {
  const facts = { value: undefined, cost: undefined, project: undefined, labels: {} };
  const text = '{{value}} {{cost.soFar}} {{project}} {{labels.x}} {{annotations.constructor}}';
  assert.equal(rendered(text, facts), '(none) (none) (none) (none) (none)');
});

test('a name that stands for nothing is refused, with those that do', () => {
  assert.match(
    problem('{{lables.x}} and {{values}}'),
    /\{\{lables\.x\}\} and \{\{values\}\}.*known: labels\.NAME/,
  );
  assert.match(problem('{{#if value}}'), /stands for nothing/);
  assert.match(problem('{{constructor}}'), /stands for nothing/);
  assert.match(problem('100 }} of {{'), /without its other half/);
  assert.equal(rendered('a { b } {{{value}}}'), 'a { b } {91.25}');
});

test('a label brings in its text once, and nothing else', () => {
  const labels = { x: '{{value}}', y: 'a\r\nBcc: all\u0007\u202e' };
  assert.equal(rendered('{{labels.x}}|{{labels.y}}', { labels }), '{{value}}|a  Bcc: all  ');
});

test('lines that the signal adds stay lines, without other control characters', () => {
  const annotations = { lines: 'one\ntwo\u001b[31m' };
  assert.equal(rendered('{{annotations.lines}}', { annotations }), 'one\ntwo [31m');
});

test('no text of a tenant leaves a control character or changes what stands around it', () => {
  fc.assert(
    fc.property(anyText(), anyText(), (a, b) => {
      const text = rendered('<{{labels.a}}><{{labels.b}}>', { labels: { a, b } });
      assert.doesNotMatch(text, /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      assert.ok(text.startsWith('<') && text.includes('><') && text.endsWith('>'));
    }),
  );
});

test('a long text is cut', () => {
  assert.equal(rendered('{{labels.a}}', { labels: { a: 'x'.repeat(1e6) } }).length, 2_000);
});
