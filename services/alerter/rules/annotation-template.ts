import type { AlertCost, AlertTarget } from '../../../shared/contracts/alert.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** What the placeholders of an annotation stand for. */
export interface TemplateFacts {
  readonly value: number | undefined;
  readonly unit: string;
  readonly limit: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the signal adds; untrusted. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly project: ProjectId | undefined;
  readonly target: AlertTarget;
  readonly cost: AlertCost | undefined;
}

/** Text and placeholders in turns. */
export type AnnotationTemplate = readonly (string | ((facts: TemplateFacts) => string))[];

/** Longest text that one placeholder brings in. */
const INSERTED_MAX = 2_000;
const NOTHING = '(none)';

/** What a name stands for where nothing stands for it: rules say so in plain words. */
const PLAIN: Readonly<Record<string, (facts: TemplateFacts) => string | undefined>> = {
  value: ({ value }) => (value === undefined ? undefined : numberText(value)),
  unit: ({ unit }) => unit,
  limit: ({ limit }) => limit,
  project: ({ project }) => project,
  'target.id': ({ target }) => target.id,
  'target.cluster': ({ target }) => target.cluster,
  'cost.perHour': ({ cost }) => cost?.perHour,
  'cost.soFar': ({ cost }) => cost?.soFar,
};

const own = (record: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}

// Control characters, and those that turn the direction of the text around them.
const CONTROLS = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
const CONTROLS_BUT_BREAKS = /(?!\n)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** Tenants' text as plain text: no control characters, but line breaks where it has lines. */
export function plainText(text: string, { lines }: { readonly lines: boolean }): string {
  const cut = text.length > INSERTED_MAX ? `${text.slice(0, INSERTED_MAX - 1)}…` : text;
  return cut.replace(lines ? CONTROLS_BUT_BREAKS : CONTROLS, ' ').toWellFormed();
}

function placeholder(name: string): ((facts: TemplateFacts) => string) | undefined {
  const [, family, key] = /^(labels|annotations)\.([A-Za-z_][A-Za-z0-9_.-]*)$/.exec(name) ?? [];
  if (family !== undefined && key !== undefined) {
    const lines = family === 'annotations';
    return (facts) =>
      plainText(own(lines ? facts.annotations : facts.labels, key) || NOTHING, { lines });
  }
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
  return plain && ((facts) => plainText(plain(facts) ?? NOTHING, { lines: false }));
}

/**
 * Reads `{{labels.x}}`, `{{annotations.x}}`, `{{value}}` and the like. There is no logic.
 *
 * @returns the template, or what is wrong with it
 */
export function parseTemplate(
  text: string,
): { readonly template: AnnotationTemplate } | { readonly problem: string } {
  const parts: (AnnotationTemplate[number] | undefined)[] = [];
  const unknown: string[] = [];
  for (const piece of text.split(/(\{\{[^{}]*\}\})/)) {
    const name = /^\{\{\s*([^{}]*?)\s*\}\}$/.exec(piece)?.[1];
    const part = name === undefined ? piece : placeholder(name);
    if (part === undefined) unknown.push(`{{${name}}}`);
    if (name === undefined && /\{\{|\}\}/.test(piece)) {
      return { problem: 'has "{{" or "}}" without its other half' };
    }
    parts.push(part);
  }
  if (unknown.length > 0) {
    const known = ['labels.NAME', 'annotations.NAME', ...Object.keys(PLAIN)].join(', ');
    return { problem: `has ${unknown.join(' and ')}, which stands for nothing; known: ${known}` };
  }
  return {
    template: parts.filter((part) => part !== undefined && part !== '') as AnnotationTemplate,
  };
}

/** What is brought in is never read again: braces in a label stay braces. */
export function renderTemplate(template: AnnotationTemplate, facts: TemplateFacts): string {
  return template.map((part) => (typeof part === 'string' ? part : part(facts))).join('');
}
