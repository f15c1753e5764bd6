import type { AlertEvidence } from '../../../shared/contracts/alert.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { costOf } from './application-cost.ts';
import type { Watched } from './list-applications.ts';
import type { Sample } from './signal.ts';

/** What a measure says of one application. */
export interface ToldApplication {
  readonly value: number | undefined;
  readonly why?: string;
  readonly evidence: readonly AlertEvidence[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** @param starts when its manager says that it began, by applicationKey */
export function applicationSample(
  { app, key, kind }: Watched,
  starts: ReadonlyMap<string, Instant>,
  { value, why = '', evidence, annotations = {} }: ToldApplication,
): Sample {
  const { project, cluster, application, name, user, queue, url } = app;
  return {
    labels: { project, cluster, application, name },
    project,
    target: { kind: 'application', cluster, id: application, startedAt: starts.get(key) },
    ...{ value, why, evidence },
    annotations: { kind, user, queue, url, ...annotations },
    cost: costOf(app),
  };
}
