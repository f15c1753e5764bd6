import { matchGlob } from '../../../shared/attribution/match-glob.ts';

/** Whether one of the globs fits; without any, every name does. */
export function matchesNames(globs: readonly string[] | undefined, name: string): boolean {
  return globs === undefined || globs.some((glob) => matchGlob(glob, name));
}
