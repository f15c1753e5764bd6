import { z } from 'zod';
import { isProjectId, type ProjectId } from '../../../shared/values/project-id.ts';

function isScrapeUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === '';
}

const file = z.string().min(1).optional();

/** Something that answers with Prometheus' text, such as a driver's `/metrics/prometheus/`. */
export const prometheusTarget = z
  .object({
    url: z
      .string()
      .refine(isScrapeUrl, 'is no http address without user and password')
      .describe('Address of the text, such as http://driver:4040/metrics/prometheus/.'),
    cluster: z.string().min(1).default('default').describe('Cluster that the target is part of.'),
    project: z
      .custom<ProjectId>(isProjectId, 'a project id')
      .optional()
      .describe('Project of everything from it; without it, the application decides.'),
    instance: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Name of the target in the tag instance; without it, host and port of the URL.'),
    intervalMs: z
      .number()
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(15_000)
      .describe('How often it is asked, in ms.'),
    timeoutMs: z
      .number()
      .int()
      .min(100)
      .default(10_000)
      .describe('Longest wait for its whole answer, in ms.'),
    maxBodyBytes: z
      .number()
      .int()
      .min(1_024)
      .max(256 * 1_048_576)
      .default(16 * 1_048_576)
      .describe('A longer answer is refused, in bytes after decompression.'),
    maxSamples: z
      .number()
      .int()
      .positive()
      .default(50_000)
      .describe('Samples that are taken of one answer; further ones are dropped.'),
    bearerTokenFile: file.describe('File with the token that is sent as Bearer.'),
    user: file.describe('User of basic authentication.'),
    passwordFile: file.describe('File with the password of that user.'),
    caFile: file.describe("PEM file of the authority that signed the target's certificate."),
    certificateFile: file.describe('PEM file of the certificate that is shown to the target.'),
    keyFile: file.describe("PEM file of that certificate's key."),
  })
  .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
    path: ['passwordFile'],
    message: 'user and passwordFile come together',
  })
  .refine(({ user, bearerTokenFile }) => user === undefined || bearerTokenFile === undefined, {
    path: ['bearerTokenFile'],
    message: 'a target takes a token or a user, not both',
  })
  .refine(
    ({ certificateFile, keyFile }) => (certificateFile === undefined) === (keyFile === undefined),
    {
      path: ['keyFile'],
      message: 'certificateFile and keyFile come together',
    },
  );

export type PrometheusTarget = z.output<typeof prometheusTarget>;

/** The tags `instance` and `path`, which tell the targets of a cluster apart. */
export function targetIdentity(target: PrometheusTarget): { instance: string; path: string } {
  const { host, pathname } = new URL(target.url);
  return { instance: target.instance ?? host, path: pathname };
}

/** Name of a target as a source of the quarantine. */
export function targetSource(target: PrometheusTarget): string {
  const { instance, path } = targetIdentity(target);
  return `prometheus:${JSON.stringify([target.cluster, instance, path])}`;
}

/** Whether all targets can be told apart in the store. */
export function areDistinct(targets: readonly PrometheusTarget[]): boolean {
  return new Set(targets.map(targetSource)).size === targets.length;
}
