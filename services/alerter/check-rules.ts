import { RuleFiles } from './rule-files.ts';
import type { RuleSet } from './rules/rule-set.ts';

/**
 * The rules of some files and folders, and all that is wrong with them.
 *
 * @param paths files, and folders whose `*.yaml` and `*.yml` are read
 */
export function checkRules(paths: readonly string[]): Promise<RuleSet> {
  return new RuleFiles(paths).look();
}
