import { z } from 'zod';
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
export const alerterConfig = z.strictObject({
  shippedRules: z
    .boolean()
    .default(true)
    .describe('Also the rules that come with Tollgate, of alerts/rules.'),
  rules: paths,
  notify: notify.prefault({}).describe('Who is told of alerts, when, how, and when not.'),
});

export type AlerterConfig = z.infer<typeof alerterConfig>;
