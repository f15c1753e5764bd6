import { mapBounded } from '../../../shared/clusters/map-bounded.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';

const PARALLEL = 8;

/**
 * Asks for each project of a rule, or for every one: a project's data is reached through it alone.
 *
 * @throws SignalFailure where the rule names a project that nobody knows
 */
export async function readProjects<T>(
  { ledger }: Pick<SignalDeps, 'ledger'>,
  wanted: readonly ProjectId[] | undefined,
  signal: AbortSignal,
  read: (project: ProjectId) => Promise<readonly T[]>,
): Promise<T[]> {
  const known = await ledger.projects();
  const strangers = wanted?.filter((project) => !known.includes(project)) ?? [];
  if (strangers.length > 0) {
    throw new SignalFailure(
      `the rule names projects that nobody knows: ${strangers.join(', ')}; correct "projects"`,
    );
  }
  const found = await mapBounded(wanted ?? known, PARALLEL, async (project) => {
    signal.throwIfAborted();
    return await read(project);
  });
  return found.flat();
}
