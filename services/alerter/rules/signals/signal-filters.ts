import { z } from 'zod';
import { parseProjectId } from '../../../../shared/values/project-id.ts';

// Signals narrow by plain values and by globs (`*`, `?`), so that no rule holds a pattern that could
// take long.

const NAMES_MAX = 100;

export const name = z.string().min(1).max(200);
export const names = z.array(name).min(1).max(NAMES_MAX);

export const projects = z
  .array(
    z.string().transform((text, context) => {
      const project = parseProjectId(text);
      if (project !== undefined) return project;
      context.addIssue({ code: 'custom', message: `"${text}" can't be a project's id` });
      return z.NEVER;
    }),
  )
  .min(1)
  .max(NAMES_MAX)
  .optional()
  .describe('Only these projects; without it all.');

export const clusters = names.optional().describe('Only these clusters; without it all.');

export const tags = z
  .record(name, z.string().max(200))
  .optional()
  .describe('Tags that must be there, each with this value.');
