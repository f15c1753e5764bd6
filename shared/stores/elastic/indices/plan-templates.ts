import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../../errors/app-error.ts';
import { type IndexPlan, newestEntries } from './plan.ts';
import { planFault, statusOf } from './plan-fault.ts';
import { ownStem, poolsOf } from './plan-names.ts';

/** Indices of these names are made with so many primaries. */
export interface PlannedTemplate {
  /** Of the template; its pattern is the same with `*` at its end. */
  readonly name: string;
  readonly primaries: number;
}

/**
 * What each stem of the plan needs. A template, and not an index made ahead, so that a record of
 * any day, a late one too, makes an index of the right size.
 */
export function plannedTemplates(prefix: string, plan: IndexPlan): PlannedTemplate[] {
  const pools = plan.pools.map(({ primaries }, generation) => ({
    name: poolsOf(prefix, generation),
    primaries,
  }));
  const own = [...newestEntries(plan).values()].flatMap(({ project, layout, primaries }) => {
    if (layout === 'pooled') return [];
    const { text } = ownStem(prefix, project, layout === 'own-daily' ? 'day' : 'month');
    return [{ name: `${text}-`, primaries }];
  });
  return [...pools, ...own];
}

/**
 * Sets the number of primaries of indices to come: a copy of the base template for each stem that
 * differs from it. Copies follow the base when it changes.
 *
 * @param prefix also the name of the base template, that of all log indices
 * @returns how many templates were written
 */
export async function ensureTemplates(
  client: Client,
  prefix: string,
  plan: IndexPlan,
): Promise<number> {
  try {
    const present = await templatesOf(client, prefix);
    const model = present.get(prefix);
    if (model === undefined) {
      throw new AppError(
        'STORE_MISCONFIGURED',
        `There is no index template ${prefix}; run "tollgate stores init".`,
      );
    }
    let written = 0;
    for (const { name, primaries } of plannedTemplates(prefix, plan)) {
      const wanted = withPrimaries(model, name, primaries);
      const now = present.get(name);
      if (now === undefined && primaries === 1) continue;
      if (now !== undefined && canonical(now) === canonical(wanted)) continue;
      await client.indices.putIndexTemplate({ name, ...wanted });
      written += 1;
    }
    return written;
  } catch (error) {
    throw planFault(error, 'write the index templates of the plan');
  }
}

const PARTS = new Set([
  'index_patterns',
  'priority',
  'version',
  '_meta',
  'template',
  'composed_of',
]);

interface Template extends Record<string, unknown> {
  readonly priority?: number;
  readonly template?: { readonly settings?: { readonly index?: Record<string, unknown> } };
}

async function templatesOf(client: Client, start: string): Promise<Map<string, Template>> {
  const answer = await client.indices
    .getIndexTemplate({ name: `${start}*` })
    .catch((error: unknown) => {
      if (statusOf(error) === 404) return { index_templates: [] };
      throw error;
    });
  return new Map(
    answer.index_templates.map(({ name, index_template }) => [name, partsOf(index_template)]),
  );
}

/** Without what newer servers add by themselves, such as its dates. */
function partsOf(template: object): Template {
  return Object.fromEntries(Object.entries(template).filter(([key]) => PARTS.has(key)));
}

function withPrimaries(base: Template, name: string, primaries: number) {
  const index = { ...base.template?.settings?.index, number_of_shards: String(primaries) };
  return {
    ...base,
    index_patterns: [`${name}*`],
    priority: (base.priority ?? 0) + 1,
    template: { ...base.template, settings: { ...base.template?.settings, index } },
  };
}

/** Equal templates in one text, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
