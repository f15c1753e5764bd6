import type { Client } from '@elastic/elasticsearch';
import type { ProjectId } from '../../../values/project-id.ts';
import { planFault } from './plan-fault.ts';
import { parseIndexName, projectAlias } from './plan-names.ts';

const ACTIONS = 500;

/** A project and an index that holds records of it. */
export interface ProjectPlace {
  readonly project: ProjectId;
  readonly index: string;
}

/**
 * Gives each project an alias that shows its records alone. It is a convenience and no isolation:
 * whoever may read a pool's index by its own name reads all of it.
 *
 * @returns how many were added
 */
export async function ensureAliases(
  client: Client,
  prefix: string,
  places: readonly ProjectPlace[],
): Promise<number> {
  try {
    const present = await client.indices.getAlias({ index: `${prefix}-*` });
    const missing = places.filter(
      ({ project, index }) =>
        present[index] !== undefined &&
        present[index].aliases[projectAlias(prefix, project)] === undefined,
    );
    for (let at = 0; at < missing.length; at += ACTIONS) {
      const actions = missing.slice(at, at + ACTIONS).map(({ project, index }) => {
        const alias = projectAlias(prefix, project);
        const own = parseIndexName(prefix, index)?.project === project;
        return { add: { index, alias, ...(own ? {} : { filter: { term: { project } } }) } };
      });
      await client.indices.updateAliases({ actions });
    }
    return missing.length;
  } catch (error) {
    throw planFault(error, `write the aliases ${prefix}-<project>`);
  }
}
