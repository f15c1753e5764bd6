import type { Workload } from './workload.ts';

/** An application that runs on the simulated platform, as its outputs need to know it. */
export interface SimApplication {
  readonly id: string;
  readonly attempt: number;
  readonly workload: Workload;
  readonly submittedAt: number;
}

export interface SimExecutor {
  readonly id: string;
  /** YARN's container id; `<app>/<executor>` on a standalone cluster. */
  readonly container: string;
  readonly node: string;
  readonly requestedAt: number;
}

export interface SimTask {
  readonly id: number;
  readonly stage: number;
  readonly index: number;
  readonly attempt: number;
  readonly executor: string;
  readonly launch: number;
  readonly finish: number;
  readonly outcome: 'success' | 'failed' | 'lost';
}

export interface SimProgress {
  readonly id: string;
  readonly runId: string;
  readonly name: string;
  readonly batchId: number;
  readonly triggerMs: number;
  readonly rows: number;
  readonly inputRate: number;
  readonly processedRate: number;
  readonly stateRows: number;
  readonly topic: string;
  /** By partition. */
  readonly start: readonly number[];
  readonly end: readonly number[];
  readonly latest: readonly number[];
}

/** What happens on the platform, in order of time. Outputs turn it into Spark's own formats. */
export type SimEvent = { readonly at: number; readonly app: SimApplication } & (
  | { readonly kind: 'application-started' }
  | { readonly kind: 'application-ended'; readonly failed: boolean }
  | { readonly kind: 'executor-added'; readonly executor: SimExecutor }
  | {
      readonly kind: 'executor-removed';
      readonly executor: SimExecutor;
      readonly reason: string;
    }
  | { readonly kind: 'job-started'; readonly job: number; readonly stages: readonly number[] }
  | { readonly kind: 'job-ended'; readonly job: number; readonly failed: boolean }
  | { readonly kind: 'stage-submitted'; readonly stage: number; readonly tasks: number }
  | { readonly kind: 'stage-completed'; readonly stage: number; readonly tasks: number }
  | { readonly kind: 'task-started'; readonly task: SimTask }
  | { readonly kind: 'task-ended'; readonly task: SimTask }
  | { readonly kind: 'query-started'; readonly id: string; readonly runId: string }
  | { readonly kind: 'progress'; readonly progress: SimProgress }
  | { readonly kind: 'metrics'; readonly executors: readonly SimExecutor[]; readonly tasks: number }
);
