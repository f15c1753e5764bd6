import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { readConfig } from '../../shared/config/read-config.ts';
import { alertDigest } from './alert-digest.ts';
import { checkRules } from './check-rules.ts';
import type { ChildRoute, NotifyConfig } from './notify/config.ts';
import { compilePolicy, type Policy } from './notify/policy.ts';
import { type RuleTest, ruleTestConfig } from './rule-tests/rule-test-config.ts';
import { type RuleTestWorld, runRuleTest } from './rule-tests/run-rule-test.ts';

/** How one test, or a file that can't be read, went. */
export interface RuleTestResult {
  readonly file: string;
  /** Undefined: the file itself. */
  readonly test: string | undefined;
  /** What is wrong; empty: it passed. */
  readonly failures: readonly string[];
}

function timeText(timeMs: number): string {
  const [h, m, s] = [timeMs / 3_600_000, (timeMs / 60_000) % 60, (timeMs / 1_000) % 60];
  const parts = [`${Math.floor(h)}h`, `${Math.floor(m)}m`, `${Math.floor(s)}s`];
  return parts.filter((part) => !part.startsWith('0')).join('') || '0s';
}

/** All that the routes name are there: a test tells nobody in earnest. */
function policyOf(config: NotifyConfig): Policy {
  const namesOf = (routes: readonly ChildRoute[]): string[] =>
    routes.flatMap(({ receiver, routes: below }) => [receiver ?? '', ...namesOf(below)]);
  const names = [config.route.receiver, ...namesOf(config.route.routes)];
  return compilePolicy(
    config,
    names.filter((name) => name !== ''),
  );
}

function resultOf(file: string, test: RuleTest, world: RuleTestWorld): RuleTestResult {
  const failures = runRuleTest(test, world).map(({ timeMs, message }) =>
    timeMs === undefined ? message : `at ${timeText(timeMs)}: ${message}`,
  );
  return { file, test: test.name, failures };
}

async function testFile(file: string): Promise<RuleTestResult[]> {
  const refused = (failures: readonly string[]): RuleTestResult[] => [
    { file, test: undefined, failures },
  ];
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return refused([`it can't be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`]);
  }
  const readNone = (): string => {
    throw new Error('a test of rules has no secrets');
  };
  const { config, problems } = readConfig(ruleTestConfig, { text, env: {}, readFile: readNone });
  if (config === undefined) {
    return refused(
      problems.map(
        ({ line, column, path, message }) =>
          `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
      ),
    );
  }
  const paths = config.rule_files.map((path) =>
    isAbsolute(path) ? path : join(dirname(file), path),
  );
  const { rules, problems: ruleProblems } = await checkRules(paths);
  if (ruleProblems.length > 0) {
    return refused(
      ruleProblems.map((one) => `${one.file}:${one.line}:${one.column} ${one.message}`),
    );
  }
  const policy = config.notify && policyOf(config.notify);
  return config.tests.map((test) => resultOf(file, test, { rules, policy, digest: alertDigest }));
}

/** Runs the tests of some files in virtual time; nothing outside of these files is looked at. */
export async function testRules(files: readonly string[]): Promise<RuleTestResult[]> {
  const results: RuleTestResult[] = [];
  for (const file of files) results.push(...(await testFile(file)));
  return results;
}
