import { stringify } from 'yaml';
import { z } from 'zod';
import { type JsonSchema, optionsOf } from './schema-options.ts';

/** One option, as the reference and `config reference --json` tell it. */
export interface ConfigOption {
  readonly path: string;
  readonly type: string;
  readonly default: unknown;
  readonly description: string;
}

function typeText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.join(' | ');
  const { minimum, maximum } = schema;
  const bounded = (minimum ?? -Infinity) > -1e15 || (maximum ?? Infinity) < 1e15;
  const type = schema.type ?? (schema.anyOf ?? schema.oneOf ?? []).map(typeText).join(' | ');
  if (!bounded || (type !== 'integer' && type !== 'number')) return type === '' ? 'text' : type;
  return `${type} ${minimum ?? ''}…${(maximum ?? Infinity) < 1e15 ? maximum : ''}`;
}

/** Every option of a schema, depth first; entries of lists have `[]` in their paths. */
export function describeConfig(schema: z.ZodType): ConfigOption[] {
  const options: ConfigOption[] = [];
  const walk = (node: JsonSchema, path: string): void => {
    const { properties, items } = optionsOf(node);
    for (const [name, child] of Object.entries(properties ?? {})) {
      const childPath = path === '' ? name : `${path}.${name}`;
      options.push({
        path: childPath,
        type: typeText(child),
        default: child.default,
        description: child.description ?? '',
      });
      walk(child, childPath);
    }
    if (items !== undefined && optionsOf(items).properties !== undefined) walk(items, `${path}[]`);
  };
  walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema, '');
  return options;
}

function lines(node: JsonSchema, indent: string): string[] {
  const { properties } = optionsOf(node);
  return Object.entries(properties ?? {}).flatMap(([name, child]) => {
    const below = optionsOf(child);
    const head = child.description === undefined ? [] : [`${indent}# ${child.description}`];
    if (below.properties !== undefined) {
      // A section that may be missing, such as a source, would begin to count by being there.
      const optional = child.default === undefined && node.required?.includes(name) !== true;
      const section = [`${name}:`, ...lines(child, '  ')];
      const mark = optional ? '# ' : '';
      return [...head, ...section.map((line) => `${indent}${mark}${line}`)];
    }
    const entry = below.items === undefined ? [] : listExample(below.items, `${indent}#   `);
    const value = child.default === undefined ? '' : ` ${inlineYaml(child.default)}`;
    const shown = child.default === undefined ? `${indent}# ${name}:` : `${indent}${name}:${value}`;
    return [...head, `${indent}# ${typeText(child)}`, shown, ...entry];
  });
}

function listExample(items: JsonSchema, indent: string): string[] {
  if (optionsOf(items).properties === undefined) return [];
  const text = lines(items, '').map((line) => `${indent}  ${line}`);
  return [`${indent}each entry:`, ...text];
}

function inlineYaml(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}

/** A configuration file with every option at its default, explained; it can be used as it is. */
export function printConfigReference(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return `${lines(json, '').join('\n')}\n`;
}
