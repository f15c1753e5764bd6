import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { nearestName } from '../../shared/config/nearest-name.ts';
import { pathText } from '../../shared/config/read-config.ts';
import { type JsonSchema, optionsOf } from '../../shared/config/schema-options.ts';
import { type Digest, type Rule, toRule } from './rules/rule.ts';
import { ruleConfig } from './rules/rule-config.ts';
import type { RuleFile, RuleProblem } from './rules/rule-set.ts';

type Path = readonly (string | number)[];
type Issue = z.core.$ZodIssue;

/** Most of one file. */
export const RULE_FILE_BYTES_MAX = 1_048_576;
const RULES_MAX = 1_000;

const schemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** Names that may stand at a path, of all variants together. */
function knownAt(path: Path): string[] {
  let schema: JsonSchema | undefined = schemaOf(ruleConfig);
  const names = (at: JsonSchema): Readonly<Record<string, JsonSchema>> => {
    const variants = [...(at.anyOf ?? []), ...(at.oneOf ?? [])];
    return Object.assign({}, ...variants.map(names), optionsOf(at).properties);
  };
  for (const part of path) {
    schema =
      typeof part === 'number' ? schema && optionsOf(schema).items : schema && names(schema)[part];
  }
  return schema === undefined ? [] : Object.keys(names(schema));
}

function unknownName(name: string, path: Path): string {
  const known = knownAt(path);
  const near = nearestName(name, known);
  const hint = near === undefined ? `known: ${known.join(', ')}` : `did you mean "${near}"?`;
  return `"${name}" is no option; ${hint}`;
}

/** What zod says, in words for the writer of the file. */
function issueText(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'is missing';
  if (issue.code === 'invalid_key') return issue.issues.map(issueText).join('; ');
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return [...new Set(issue.errors.flat().map(issueText))].join(', or ');
  }
  return issue.message.replace(
    /^Invalid (?:input|option|discriminator value)[.:] expected (one of )?(.*?)(, received .*)?$/i,
    (_all, some: string | undefined, what: string) =>
      `must be ${some ?? (what.includes('|') ? 'one of ' : '')}${what.replaceAll("'", '"')}`,
  );
}

/** Where things stand in a file. */
class Places {
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  problem(offset: number, message: string, rule?: string): RuleProblem {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col), rule, message };
  }

  line(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }
}

/** The node at a path below an entry, or the deepest one above it. */
function nodeAt(entry: Node, path: Path): Node {
  let node = entry;
  for (const part of path) {
    const next: unknown = isMap(node) || isSeq(node) ? node.get(part, true) : undefined;
    if (!isNode(next)) break;
    node = next;
  }
  return node;
}

function keyNode(node: Node, name: string): Node {
  const pair = isMap(node)
    ? node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === name)
    : undefined;
  return isNode(pair?.key) ? pair.key : node;
}

function issueProblems(entry: Node, issue: Issue, places: Places, rule?: string): RuleProblem[] {
  const path = issue.path as Path;
  const node = nodeAt(entry, path);
  const at = (place: Node, text: string): RuleProblem =>
    places.problem(place.range?.[0] ?? 0, text, rule);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => at(keyNode(node, name), unknownName(name, path)));
  }
  return [at(node, `${path.length === 0 ? '' : `${pathText(path)}: `}${issueText(issue)}`)];
}

/** Where `__proto__` is a key, which zod passes over. */
function prototypeKeys(entry: Node): number[] {
  const offsets: number[] = [];
  visit(entry, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '__proto__') offsets.push(key.range?.[0] ?? 0);
    },
  });
  return offsets;
}

type Entry = { readonly rule: Rule } | { readonly problems: readonly RuleProblem[] };

interface Context {
  readonly file: string;
  readonly places: Places;
  readonly digest: Digest;
}

function readEntry(entry: Node, written: unknown, { file, places, digest }: Context): Entry {
  const prototypes = prototypeKeys(entry);
  const isObject = typeof written === 'object' && written !== null && !Array.isArray(written);
  const name: unknown = isObject ? (written as { alert?: unknown }).alert : undefined;
  const parsed = ruleConfig.safeParse(written, { reportInput: true });
  if (!parsed.success || prototypes.length > 0) {
    const rule = typeof name === 'string' ? name : undefined;
    const issues = parsed.error?.issues ?? [];
    return {
      problems: [
        ...issues.flatMap((one) => issueProblems(entry, one, places, rule)),
        ...prototypes.map((offset) => places.problem(offset, '"__proto__" is no name', rule)),
      ],
    };
  }
  const place = { file, line: places.line(entry) };
  return { rule: toRule(parsed.data, written as Record<string, unknown>, { place, digest }) };
}

/**
 * Reads a rule file. A bad rule is refused with all that is wrong with it, and the others are read.
 *
 * @param file its name, for problems
 */
export function parseRuleFile(file: string, text: string, digest: Digest): RuleFile {
  const lines = new LineCounter();
  const places = new Places(file, lines);
  const unreadable = (problems: readonly RuleProblem[]): RuleFile => {
    return { file, rules: [], problems, readable: false };
  };
  if (Buffer.byteLength(text) > RULE_FILE_BYTES_MAX) {
    return unreadable([places.problem(0, `has more than ${RULE_FILE_BYTES_MAX} bytes; split it`)]);
  }
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    return unreadable(
      document.errors.map(({ pos, message }) =>
        places.problem(pos[0], message.split('\n')[0] ?? 'is no YAML'),
      ),
    );
  }
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return unreadable([places.problem(0, `its aliases can't be followed: ${error.message}`)]);
  }
  const list = isMap(document.contents) ? document.contents.get('rules', true) : undefined;
  if (!isSeq(list))
    return unreadable([places.problem(0, 'must have a list of rules, as "rules:"')]);
  if (list.items.length > RULES_MAX) {
    return unreadable([places.problem(0, `has more than ${RULES_MAX} rules; split it`)]);
  }
  const others = Object.keys(written as object).filter((name) => name !== 'rules');
  const strangers = others.map((name) => {
    const node = keyNode(document.contents as Node, name);
    return places.problem(node.range?.[0] ?? 0, `"${name}" is no option; known: rules`);
  });
  const entries = list.items.map((entry, i) => {
    const value = (written as { rules: unknown[] }).rules[i];
    return readEntry(entry as Node, value, { file, places, digest });
  });
  return {
    file,
    rules: entries.flatMap((entry) => ('rule' in entry ? [entry.rule] : [])),
    problems: [
      ...strangers,
      ...entries.flatMap((entry) => ('problems' in entry ? entry.problems : [])),
    ],
    readable: true,
  };
}
