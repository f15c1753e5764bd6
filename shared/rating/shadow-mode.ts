import type { QuotaReason } from '../contracts/rest.ts';
import { NO_LIMITS, type ProjectLimits } from './evaluate-limits.ts';

/** By which a hold in shadow mode is decided: a line of credit that nobody comes to the end of. */
export const SHADOW_LIMITS: ProjectLimits = { ...NO_LIMITS, creditLine: 10n ** 27n };

/**
 * Which projects are in shadow mode: charged and shown like any other, and never refused, so that
 * owners see what they would have paid before anything is enforced.
 */
export function shadowProjects(config: {
  /** Every project is. */
  readonly shadow: boolean;
  readonly projects: readonly { readonly id: string; readonly shadow: boolean }[];
}): (project: string) => boolean {
  if (config.shadow) return () => true;
  const some = new Set(config.projects.flatMap(({ id, shadow }) => (shadow ? [id] : [])));
  return (project) => some.has(project);
}

/** A refusal that is only told: it passes, with the reason why it would not have. */
export function shadowVerdict<
  V extends { readonly allowed: boolean; readonly reason: QuotaReason; readonly message: string },
>(verdict: V): V {
  if (verdict.allowed) return verdict;
  const message = `would have been refused (shadow mode): ${verdict.message}`;
  return { ...verdict, allowed: true, reason: 'shadow', message };
}
