import { z } from 'zod';
import { parseProjectId } from '../values/project-id.ts';

const glob = (of: string) =>
  z
    .string()
    .min(1)
    .max(512)
    .describe(`Glob for ${of}: * is any text, ? one character; letters count as they are.`);
const globs = (of: string) => z.record(z.string().min(1).max(256), glob(of));

const project = z
  .string()
  .transform((text, context) => {
    const id = parseProjectId(text);
    if (id !== undefined) return id;
    context.addIssue({
      code: 'custom',
      message: `"${text}" is no project id: letters, digits, ".", "_" and "-", at most 63`,
    });
    return z.NEVER;
  })
  .describe('The project that matching applications belong to.');

const claimant = z.strictObject({
  project: glob('the project that is claimed'),
  users: z
    .array(glob('the user'))
    .max(10_000)
    .default([])
    .describe('Users that may claim it, as the manager or the log names them.'),
  queues: z
    .array(glob('the queue'))
    .max(10_000)
    .default([])
    .describe('Queues from which it may be claimed.'),
});

const rule = z
  .strictObject({
    user: glob('the user').optional(),
    queue: glob('the queue').optional(),
    name: glob("the application's name").optional(),
    configuration: globs('the value of this configuration key')
      .optional()
      .describe('Globs by configuration key; every one must match.'),
    tags: globs('the value of this tag').optional().describe('Globs by tag; every one must match.'),
    project: project.optional(),
    projectFromConfiguration: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Configuration key whose value names the project; without a usable one, no match.'),
    claimants: z
      .array(claimant)
      .max(10_000)
      .optional()
      .describe(
        'Who may use the project that the rule gives: the first entry whose project fits decides, by ' +
          'user or queue; a project that no entry fits is open to all. Who may not is unattributed.',
      ),
  })
  .refine(
    (written) =>
      (written.project === undefined) !== (written.projectFromConfiguration === undefined),
    {
      message: 'a rule needs either project or projectFromConfiguration',
    },
  );

/**
 * How an application gets its project: the first rule of which every condition matches. A rule
 * without conditions matches all.
 */
export const attributionRules = z
  .array(rule)
  .max(10_000)
  .default([{ projectFromConfiguration: 'spark.tollgate.project' }])
  .describe('Rules that give an application its project, in order; the first match wins.');

export type AttributionRules = z.output<typeof attributionRules>;
export type AttributionRule = AttributionRules[number];
