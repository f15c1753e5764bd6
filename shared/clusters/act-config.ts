import { z } from 'zod';
import type { Actuation } from './cluster-actuator.ts';

/** What a person switches on; each brings the order that takes it back. */
const PERMISSIONS = {
  'deny-new-work': ['deny-new-work', 'allow-new-work'],
  'cap-application': ['cap-application', 'uncap-application'],
  'limit-lifetime': ['limit-lifetime'],
  'kill-application': ['kill-application'],
  'terminate-cluster': ['terminate-cluster'],
} as const satisfies Record<string, readonly Actuation[]>;

const names = Object.keys(PERMISSIONS) as (keyof typeof PERMISSIONS)[];
const queue = z.string().regex(/^root(\.[^\s.]+)+$/, 'must be a path such as root.etl.nightly');
const webAddress = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'is no http address');

/** What may be asked of a cluster's manager at all; when it is asked, the alerter's policies decide. */
export const actConfig = z
  .object({
    may: z
      .array(z.enum(names))
      .default([])
      .describe('What may be asked of its manager at all; nothing unless it is named here.'),
    user: z
      .string()
      .min(1)
      .optional()
      .describe(
        'YARN: name under which it is acted on, where it has simple security; it needs to be an administrator of the queues, and of the cluster to stop queues.',
      ),
    stopQueues: z
      .array(queue)
      .default([])
      .describe('YARN: leaf queues that may be stopped for new work, by their full paths.'),
    denyPolicies: z
      .array(z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'must be an id such as ABCD000000000000'))
      .default([])
      .describe('Databricks: ids of cluster policies whose use may be taken away.'),
    capQueue: queue
      .optional()
      .describe('YARN: queue into which an application is moved to cap what it gets.'),
    submissionUrls: z
      .array(webAddress)
      .default([])
      .describe(
        'Standalone: REST submission servers of the same masters in the same order, such as http://master:6066; without them drivers are killed through the page of the master.',
      ),
  })
  .superRefine(({ may, stopQueues, denyPolicies, capQueue }, context) => {
    const need = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const doors = stopQueues.length + denyPolicies.length;
    if (may.includes('deny-new-work') && doors === 0) {
      need('stopQueues', 'deny-new-work needs the queues that may be stopped');
    }
    if (may.includes('cap-application') && capQueue === undefined) {
      need('capQueue', 'cap-application needs a queue to cap in');
    }
  });

export type ActSettings = z.output<typeof actConfig>;

/** All orders that follow from what is switched on. */
export function abilitiesOf({ may }: Pick<ActSettings, 'may'>): ReadonlySet<Actuation> {
  return new Set(may.flatMap((name): readonly Actuation[] => PERMISSIONS[name]));
}
