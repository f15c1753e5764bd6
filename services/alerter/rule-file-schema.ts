import { z } from 'zod';
import { ruleFileConfig } from './rules/rule-config.ts';

/** JSON schema of a rule file, for editors; published as `alerts/rule.schema.json`. */
export function ruleFileSchema(): unknown {
  const schema = z.toJSONSchema(ruleFileConfig, { io: 'input', unrepresentable: 'any' });
  return { ...schema, title: 'Rules of Tollgate' };
}
