import { z } from 'zod';

const clusterName = z
  .string()
  .min(1)
  .max(256)
  .optional()
  .describe('Name of the cluster; a * at its end stands for any text. Several are seen together.');

/** A cluster of a Databricks workspace, whose address stands in `urls`. */
export const databricksConfig = z
  .object({
    token: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Access token of a user or service principal, from an environment variable or a file; needed. It must be allowed to see the clusters and runs, and to manage those that are acted on.',
      ),
    clusterId: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/)
      .optional()
      .describe(
        'Id of the cluster, such as 1234-567890-reef123; without it and a name all of the workspace are seen. Only one that is named alone can be terminated.',
      ),
    clusterName,
    readRuns: z
      .boolean()
      .default(true)
      .describe(
        'Journal runs of jobs as applications; false where the agent tells of the same work, so that nothing counts twice.',
      ),
  })
  .refine(({ clusterId, clusterName: name }) => clusterId === undefined || name === undefined, {
    path: ['clusterName'],
    message: 'a cluster is named by its id or by its name',
  });

/** A cluster of Amazon EMR; `urls` are those of its ResourceManager, where it can be reached. */
export const emrConfig = z
  .object({
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/)
      .describe('Region of AWS, such as eu-central-1.'),
    clusterId: z
      .string()
      .regex(/^j-[0-9A-Za-z]{1,30}$/)
      .optional()
      .describe('Id of the cluster, such as j-3SD91U2E1L2QX; each start has a new one.'),
    clusterName,
    endpoint: z
      .string()
      .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'is no http address')
      .optional()
      .describe('Address of the API, where it is not the region’s own (a private endpoint).'),
  })
  .refine(
    ({ clusterId, clusterName: name }) => (clusterId === undefined) !== (name === undefined),
    {
      path: ['clusterId'],
      message: 'a cluster is named by its id or by its name',
    },
  );

export type DatabricksConfig = z.output<typeof databricksConfig>;
export type EmrConfig = z.output<typeof emrConfig>;
