/** What becomes of a record. A reason is a short kebab-case name, counted, and listed in the README. */
export type Fate<T> =
  | { readonly fate: 'kept'; readonly record: T }
  | { readonly fate: 'dropped'; readonly reason: string }
  | { readonly fate: 'quarantined'; readonly reason: string; readonly raw: string };

/** A record names a project that its sender's token doesn't see. */
export const FOREIGN_PROJECT = 'foreign-project';

export function kept<T>(record: T): Fate<T> {
  return { fate: 'kept', record };
}

export function dropped(reason: string): Fate<never> {
  return { fate: 'dropped', reason };
}

export function quarantined(reason: string, raw: string): Fate<never> {
  return { fate: 'quarantined', reason, raw };
}
