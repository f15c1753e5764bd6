import { type TollgateConfig, tollgateConfig } from '../all-in-one/config.ts';
import { type SimulatedPlatform, simulatedFolders } from '../simulator/start.ts';

export interface DemoOptions {
  readonly port: number;
  readonly dataFolder: string;
}

/** Credits that the demo's projects begin with; one of them runs out while you watch. */
const GRANTS = { etl: '2500', ads: '4000', ml: '3000', risk: '700' };

/** The demo's clock may run a hundred times faster than the managers answer. */
const PATIENT_MS = 600_000;

/** The configuration of the demo: the simulator's folders and managers as sources. */
export function demoConfig(
  { port, dataFolder }: DemoOptions,
  platform: Pick<SimulatedPlatform, 'resourceManagerUrl' | 'standaloneMasterUrl'>,
): TollgateConfig {
  const folders = simulatedFolders(`${dataFolder}/platform`);
  const logFiles = (cluster: string) => ({
    paths: [`${folders.logs(cluster)}/{application}/{container}/stderr`],
    cluster,
  });
  return tollgateConfig.parse({
    dataFolder,
    logLevel: 'error',
    api: { port },
    logs: { files: [logFiles('yarn-main'), logFiles('spark-lab')] },
    metrics: {
      graphite: [
        { port: 0, cluster: 'yarn-main' },
        { port: 0, cluster: 'spark-lab' },
      ],
    },
    containers: {
      attribution: [{ projectFromConfiguration: 'spark.tollgate.project' }],
      clusters: [
        {
          id: 'yarn-main',
          type: 'yarn',
          urls: [platform.resourceManagerUrl],
          timeoutMs: PATIENT_MS,
          eventLogs: [folders.eventLogs('yarn-main')],
          links: {
            sparkUi: 'http://rm.lab:8088/proxy/{application}/',
            historyServer: 'http://history.lab:18080/history/{application}/{attempt}',
            manager: 'http://rm.lab:8088/cluster/app/{application}',
            logs: 'http://kibana.lab:5601/app/discover#/?application={application}&from={from}&to={until}',
          },
        },
        {
          id: 'spark-lab',
          type: 'standalone',
          urls: [platform.standaloneMasterUrl],
          timeoutMs: PATIENT_MS,
          eventLogs: [folders.eventLogs('spark-lab')],
          links: {
            sparkUi: 'http://edge-01.lab:4040/?application={application}',
            historyServer: 'http://history.lab:18080/history/{application}',
            manager: 'http://spark-lab:8080/app/?appId={application}',
          },
        },
      ],
    },
    metering: {
      pools: [
        { id: 'shared', clusters: ['yarn-main'] },
        { id: 'lab', clusters: ['spark-lab'] },
      ],
      projects: Object.entries(GRANTS).map(([id, credits]) => ({
        id,
        grants: [{ id: `demo-${id}`, credits, reason: 'demo' }],
      })),
    },
  });
}
