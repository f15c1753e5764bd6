import { RE2JS } from 're2js';
import type { LabelMatcher } from '../stores/silence-store.ts';

/** Longest matcher that anybody writes. */
const TEXT_MAX = 4_096;
/** Values a regular expression remembers its answer to. */
const MEMO_MAX = 2_000;

type Parsed = { readonly matchers: readonly LabelMatcher[] } | { readonly problem: string };
export type Labels = Readonly<Record<string, string>>;

const NAME = /^\s*([a-zA-Z_][a-zA-Z0-9_.]*|"(?:[^"\\\n]|\\.)*")\s*(=~|!~|!=|=)\s*/;
const QUOTED = /^"((?:[^"\\\n]|\\.)*)"\s*/;
const BARE = /^([^\s"'`,={}~!]+)\s*/;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  '\\': '\\',
};

function unquote(text: string): string {
  return text.replace(/\\(.)/g, (whole, sign: string) => ESCAPES[sign] ?? whole);
}

function regexProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern, RE2JS.DOTALL);
    return undefined;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)} (RE2 syntax)`;
  }
}

/** What is wrong with a matcher; undefined when nothing is. */
export function matcherProblem(matcher: LabelMatcher): string | undefined {
  const { name, value, isRegex } = matcher;
  if (name === '') return 'names no label';
  if (name.length + value.length > TEXT_MAX) return `is longer than ${TEXT_MAX} characters`;
  return isRegex ? regexProblem(value) : undefined;
}

/**
 * Matchers as Alertmanager writes them: `severity="critical"`, `team=~"a|b"`, `env!=dev`, several
 * with commas, in braces or not. Source: prometheus/alertmanager matcher/parse (the UTF-8 syntax).
 */
export function parseMatchers(text: string): Parsed {
  if (text.length > TEXT_MAX) return { problem: `is longer than ${TEXT_MAX} characters` };
  let rest = text.trim();
  if (rest.startsWith('{') !== rest.endsWith('}')) return { problem: 'has one brace only' };
  if (rest.startsWith('{')) rest = rest.slice(1, -1).trim();
  const matchers: LabelMatcher[] = [];
  while (rest !== '') {
    const [head, name, sign] = NAME.exec(rest) ?? [];
    if (head === undefined || name === undefined || sign === undefined) {
      return { problem: `has no label and =, !=, =~ or !~ at "${rest.slice(0, 40)}"` };
    }
    rest = rest.slice(head.length);
    const quoted = QUOTED.exec(rest);
    const [whole, value] = quoted ?? BARE.exec(rest) ?? [];
    if (whole === undefined || value === undefined) {
      return { problem: `has no value at "${rest.slice(0, 40)}": put it in double quotes` };
    }
    rest = rest.slice(whole.length);
    const matcher = {
      name: name.startsWith('"') ? unquote(name.slice(1, -1)) : name,
      value: quoted === null ? value : unquote(value),
      isRegex: sign.endsWith('~'),
      isEqual: sign.startsWith('='),
    };
    const problem = matcherProblem(matcher);
    if (problem !== undefined) return { problem };
    matchers.push(matcher);
    if (rest === '') break;
    if (!rest.startsWith(',')) return { problem: `has no comma at "${rest.slice(0, 40)}"` };
    rest = rest.slice(1).trim();
  }
  return matchers.length === 0 ? { problem: 'holds no matcher' } : { matchers };
}

/** As Alertmanager writes it. */
export function printMatcher({ name, value, isRegex, isEqual }: LabelMatcher): string {
  const sign = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
  return `${name}${sign}${JSON.stringify(value)}`;
}

function compileOne({ name, value, isRegex, isEqual }: LabelMatcher): (labels: Labels) => boolean {
  const labelOf = (labels: Labels): string =>
    (Object.hasOwn(labels, name) ? labels[name] : '') ?? '';
  if (!isRegex) return (labels) => (labelOf(labels) === value) === isEqual;
  const pattern = RE2JS.compile(value, RE2JS.DOTALL);
  const memo = new Map<string, boolean>();
  return (labels) => {
    const label = labelOf(labels);
    let matches = memo.get(label);
    if (matches === undefined) {
      matches = pattern.testExact(label);
      if (memo.size >= MEMO_MAX) memo.clear();
      memo.set(label, matches);
    }
    return matches === isEqual;
  };
}

/** All of them; a regular expression matches the whole label. Time is linear in its length (RE2). */
export function compileMatchers(matchers: readonly LabelMatcher[]): (labels: Labels) => boolean {
  const all = matchers.map(compileOne);
  return (labels) => all.every((matches) => matches(labels));
}
