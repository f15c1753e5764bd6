import type { Rule } from './rule.ts';

/** One thing that is wrong with a rule file, where it stands, and what to do. */
export interface RuleProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Name of the rule that is refused; undefined where the entry has no readable one. */
  readonly rule: string | undefined;
  readonly message: string;
}

/** What a rule file holds. */
export interface RuleFile {
  readonly file: string;
  readonly rules: readonly Rule[];
  readonly problems: readonly RuleProblem[];
  /** False: its entries can't be told, so that nothing in it is known to be there or not. */
  readonly readable: boolean;
}

/** All rules that are evaluated. */
export interface RuleSet {
  /** By name. */
  readonly rules: ReadonlyMap<string, Rule>;
  /** In the order of files and lines. Without any, a rule that isn't there was taken away. */
  readonly problems: readonly RuleProblem[];
  /** Names of rules that go on as they were, since what stands in their file now is refused. */
  readonly kept: ReadonlySet<string>;
}

export const NO_RULES: RuleSet = { rules: new Map(), problems: [], kept: new Set() };

/** Whether a file still has a rule, though nothing good. */
function isRefused({ name, place }: Rule, { file, readable, problems }: RuleFile): boolean {
  return file === place.file && (!readable || problems.some(({ rule }) => rule === name));
}

function duplicate(rule: Rule, winner: Rule): RuleProblem {
  const { file, line } = winner.place;
  const message = `another rule is called ${rule.name} in ${file}:${line}; rename one of them`;
  return { ...rule.place, column: 1, rule: rule.name, message };
}

/**
 * The rules of all files. Where a rule or its file is refused, what it was before goes on; of two
 * rules of one name the one that was there first does.
 */
export function nextRuleSet(files: readonly RuleFile[], previous: RuleSet): RuleSet {
  const rules = new Map<string, Rule>();
  const problems = files.flatMap((file) => file.problems);
  for (const rule of files.flatMap((file) => file.rules)) {
    const first = rules.get(rule.name);
    const before = previous.rules.get(rule.name)?.place.file;
    const wins = first !== undefined && first.place.file !== before && rule.place.file === before;
    if (first === undefined || wins) rules.set(rule.name, rule);
    if (first !== undefined) problems.push(wins ? duplicate(first, rule) : duplicate(rule, first));
  }
  const kept = new Set<string>();
  for (const rule of previous.rules.values()) {
    if (rules.has(rule.name) || !files.some((file) => isRefused(rule, file))) continue;
    rules.set(rule.name, rule);
    kept.add(rule.name);
  }
  const order = (a: RuleProblem, b: RuleProblem): number =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column;
  return { rules, problems: problems.sort(order), kept };
}
