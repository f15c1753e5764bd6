/** What a YARN container id says. Source: apache/hadoop …/yarn/api/records/ContainerId.java. */
export interface YarnContainerId {
  readonly application: string;
  readonly attempt: string;
  readonly number: number;
}

const CONTAINER = /^container_(?:e\d+_)?(\d+)_(\d+)_(\d+)_(\d+)$/;

/** Undefined for what is no container id; the epoch of a restarted manager (`e18`) is accepted. */
export function parseContainerId(id: string): YarnContainerId | undefined {
  const [, cluster, application, attempt, number] = CONTAINER.exec(id) ?? [];
  if (cluster === undefined || application === undefined) return undefined;
  return {
    application: `application_${cluster}_${application}`,
    attempt: String(Number(attempt)),
    number: Number(number),
  };
}

const APPLICATION = /^application_(\d+)_(\d+)$/;

export function isYarnApplicationId(id: string): boolean {
  return APPLICATION.test(id);
}

/** `appattempt_<cluster>_<application>_<attempt, six digits>`. */
export function attemptId(application: string, attempt: string): string {
  return `${application.replace(/^application/, 'appattempt')}_${attempt.padStart(6, '0')}`;
}

/** The first container id in a text such as a log address. */
export function containerIdIn(text: string): string | undefined {
  return /container_(?:e\d+_)?\d+_\d+_\d+_\d+/.exec(text)?.[0];
}
