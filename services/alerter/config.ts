import { z } from 'zod';
import { ExtendLinks } from '../../shared/tokens/extend-link.ts';
import { enforceConfig, policiesOf } from './enforce/config.ts';
import { notifyConfig, receiverProblems } from './notify/config.ts';
import { sendersOptions, sendersProblems } from './notify/senders/config.ts';

const paths = z
  .array(z.string().min(1))
  .default([])
  .describe('Rule files, and folders of them (*.yaml, *.yml); read again when they change.');

const notify = notifyConfig.safeExtend(sendersOptions).superRefine((config, context) => {
  const names = config.receivers.map(({ name }) => name);
  const problems = [
    ...sendersProblems(config),
    ...receiverProblems(config, names).map(({ path, message }) => [path, message] as const),
  ];
  for (const [path, message] of problems) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
});

/** Options of rules, of who is told, and of what may be done. */
export const alerterConfig = z
  .strictObject({
    shippedRules: z
      .boolean()
      .default(true)
      .describe('Also the rules that come with Tollgate, of alerts/rules.'),
    rules: paths,
    notify: notify.prefault({}).describe('Who is told of alerts, when, how, and when not.'),
    secret: z
      .string()
      .min(16)
      .optional()
      .describe(
        'Signs exemptions in tags and the links that put an action off. A secret: take it from the environment.',
      ),
    enforce: enforceConfig.prefault({}).describe('What may be done to whom; observes by default.'),
  })
  .superRefine(({ notify: { receivers }, enforce }, context) => {
    const names = receivers.map(({ name }) => name);
    const named = [
      ...enforce.announceTo.map((name, i) => ({ name, path: ['enforce', 'announceTo', i] })),
      ...enforce.operators.map((name, i) => ({ name, path: ['enforce', 'operators', i] })),
    ];
    for (const { name, path } of named.filter((one) => !names.includes(one.name))) {
      context.addIssue({ code: 'custom', path, message: `there is no receiver ${name}` });
    }
  });

export type AlerterConfig = z.infer<typeof alerterConfig>;

/** The policies as people switch their levels on. */
export function switchablePolicies({ enforce }: AlerterConfig) {
  return policiesOf(enforce).map(({ id, version, ladder, extendMs, extensionsMax }) => ({
    ...{ id, version, extendMs, extensionsMax },
    levels: ladder.map(({ level }) => level),
  }));
}

/** What makes and reads the links that put an action off; undefined where they aren't set up. */
export function extendLinksOf({ secret, notify: { consoleUrl } }: AlerterConfig) {
  if (secret === undefined || consoleUrl === '') return undefined;
  return new ExtendLinks({ secret, baseUrl: consoleUrl });
}
