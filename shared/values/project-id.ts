/** The account that is isolated, charged and limited. Lower-case, so that no file system or index folds two into one. */
export type ProjectId = string & { readonly __brand: 'ProjectId' };

const PATTERN = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** What no attribution rule matched is charged here, always shown. */
export const UNATTRIBUTED = 'unattributed' as ProjectId;

export function isProjectId(text: unknown): text is ProjectId {
  return typeof text === 'string' && PATTERN.test(text) && text !== '__proto__';
}

/** Undefined when the text, trimmed and lower-cased, is no project id. */
export function parseProjectId(text: string): ProjectId | undefined {
  const candidate = text.trim().toLowerCase();
  return isProjectId(candidate) ? candidate : undefined;
}
