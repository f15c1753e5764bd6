import { AppError } from '../../../shared/errors/app-error.ts';
import type { StoredToken, TokenScope } from '../../../shared/stores/token-store.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** Who asks, and what the token that came with the request may do. */
export type Caller = Pick<StoredToken, 'id' | 'label' | 'scopes' | 'projects' | 'expiresAt'>;

/** Whoever comes, where nobody signs in. */
export const ANYBODY: Caller = {
  id: '',
  label: '',
  scopes: ['admin'],
  projects: undefined,
  expiresAt: undefined,
};

export function may({ scopes }: Caller, scope: TokenScope): boolean {
  return scopes.includes(scope) || scopes.includes('admin');
}

export function sees({ projects }: Caller, project: string): boolean {
  return projects === undefined || (projects as readonly string[]).includes(project);
}

/** @throws AppError FORBIDDEN */
export function demandScope(caller: Caller, scope: TokenScope): void {
  if (may(caller, scope)) return;
  throw new AppError('FORBIDDEN', `this needs a token with the scope ${scope}`, {
    details: { scope },
  });
}

/** @throws AppError NOT_FOUND in the words for a project that isn't there at all */
export function demandProject(caller: Caller, project: ProjectId): void {
  if (!sees(caller, project)) throw new AppError('NOT_FOUND', `there is no project ${project}`);
}

/** What concerns every project. @throws AppError FORBIDDEN */
export function demandAllProjects(caller: Caller): void {
  if (caller.projects === undefined) return;
  const message = 'this concerns all projects; it needs a token that is not bound to some';
  throw new AppError('FORBIDDEN', message);
}
