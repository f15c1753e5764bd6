import { join } from 'node:path';
import type { ClusterActuator, TargetReader } from '../../shared/clusters/cluster-actuator.ts';
import type { ClusterReader } from '../../shared/clusters/cluster-reader.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { HeldLease } from '../../shared/stores/held-lease.ts';
import type { AlertStores } from '../../shared/stores/open-stores.ts';
import type { StopOrderStore } from '../../shared/stores/stop-orders.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Metrics } from '../../shared/telemetry/metrics.ts';
import { MINUTE_MS, SECOND_MS } from '../../shared/values/instant.ts';
import { type AlerterConfig, extendLinksOf } from './config.ts';
import type { ConsequenceDeps } from './enforce/announcement.ts';
import { enforceRulesOf, policiesOf } from './enforce/config.ts';
import { consequencesOf } from './enforce/consequences.ts';
import { Enforcer } from './enforce/enforcer.ts';
import { LiveClusters } from './enforce/live-clusters.ts';
import { allOn, switchOfFile, switchOfWord } from './enforce/read-switch.ts';
import { EVALUATOR_LEASE, Evaluator } from './evaluator.ts';
import { Dispatcher } from './notify/dispatcher.ts';
import { Notifier } from './notify/notifier.ts';
import { compilePolicy } from './notify/policy.ts';
import { AlertmanagerForwarder } from './notify/senders/alertmanager-forwarder.ts';
import { DialGuard } from './notify/senders/dial-guard.ts';
import { openReceivers } from './notify/senders/open-receivers.ts';
import { OutboundHttp } from './notify/senders/outbound-http.ts';
import { WatchdogHeartbeat } from './notify/senders/watchdog-heartbeat.ts';
import { RuleFiles } from './rule-files.ts';
import { openSignalReader } from './signals/open-signal-reader.ts';
import type { SignalDeps } from './signals/signal-deps.ts';

export type { SignalDeps } from './signals/signal-deps.ts';
export type { TollgateSight } from './signals/tollgate-sight.ts';

/** The rules that come with Tollgate, beside the built program as beside the source. */
const SHIPPED_RULES = join(import.meta.dirname, '../../alerts/rules');
const LOOK_AT_FILES_MS = 2 * SECOND_MS;
const LEASE_MS = 15 * SECOND_MS;
const OUTBOX_POLL_MS = 500;
/** A rule this late, or a message this old, and the Watchdog is silent. */
const EVALUATION_LATE_MS = 5 * MINUTE_MS;
/** Between the last look at a target and the question. */
const ACT_WITHIN_MS = 10 * SECOND_MS;
const MESSAGE_OLD_MS = 10 * MINUTE_MS;

export interface AlertedCluster {
  readonly live: ClusterReader;
  readonly reader: TargetReader;
  readonly actuator: ClusterActuator | undefined;
}

export interface AlerterDeps {
  readonly config: AlerterConfig;
  readonly stores: AlertStores;
  readonly signals: Omit<SignalDeps, 'tollgate'> & {
    readonly tollgate: Omit<SignalDeps['tollgate'], 'evaluation'>;
  };
  readonly stopOrders: StopOrderStore;
  /** Managers that can be asked; those without an actuator are only observed. */
  readonly clusters: ReadonlyMap<string, AlertedCluster>;
  /** The switch of the environment, TOLLGATE_ENFORCEMENT. */
  readonly enforcementWord: string | undefined;
  /** Holds the file that is a switch. */
  readonly dataFolder: string;
  /** Unique to this process's life; of several processes one does each kind of work. */
  readonly holder: string;
  /** Reads a file of the configuration, such as the mail relay's authority. */
  readonly readFile: (path: string) => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

type Work = (signal: AbortSignal) => Promise<void>;

/** Rule files, looked at again and again; each problem is said once. */
function watchRules({ config, logger, clock }: AlerterDeps): { files: RuleFiles; run: Work } {
  const files = new RuleFiles([...(config.shippedRules ? [SHIPPED_RULES] : []), ...config.rules]);
  let told = '';
  const look = async (): Promise<void> => {
    const { problems } = await files.look();
    const text = problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join('\n');
    if (text !== told && text !== '') logger.error({ problems: text.split('\n') }, 'rules refused');
    told = text;
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await look();
      await clock.sleep(LOOK_AT_FILES_MS, signal);
    }
  };
  return { files, run };
}

function openEvaluator(deps: AlerterDeps, files: RuleFiles, lease: HeldLease): Evaluator {
  const { signals, stores, clock } = deps;
  const evaluation = async () => {
    const lagMs = evaluator.lagMs();
    const at = clock.now();
    return lagMs === undefined ? undefined : { rule: 'any', dueAt: at - lagMs, at };
  };
  const all: SignalDeps = { ...signals, tollgate: { ...signals.tollgate, evaluation } };
  const evaluator = new Evaluator({
    ...deps,
    rules: () => files.current,
    readerOf: (signal) => openSignalReader(signal, all),
    store: stores.alerts,
    lease,
  });
  return evaluator;
}

/** Why alerts would not arrive now; undefined when they would. */
async function troubleOf(deps: AlerterDeps, evaluator: Evaluator): Promise<string | undefined> {
  const { stores, clock } = deps;
  const lagMs = evaluator.lagMs();
  if (lagMs !== undefined && lagMs > EVALUATION_LATE_MS) return 'rules are evaluated late';
  const { oldestAt } = await stores.outbox.status();
  const isOld = oldestAt !== undefined && clock.now() - oldestAt > MESSAGE_OLD_MS;
  return isOld ? 'messages are not delivered' : undefined;
}

/** Who is told: planned into the outbox, brought to receivers, forwarded, and the Watchdog. */
function notifying(deps: AlerterDeps, evaluator: Evaluator, leaseOf: LeaseOf): Work[] {
  const { config, stores, clock, readFile } = deps;
  const { notify } = config;
  const guard = new DialGuard(notify.dial.allow);
  const http = new OutboundHttp({ guard, clock, timeoutMs: notify.sendTimeoutMs });
  const receivers = openReceivers({ config: notify, guard, clock, readFile });
  const policy = compilePolicy(notify, [...receivers.keys()]);
  const consequences = { ...consequenceDeps(deps), store: stores.enforcement };
  const notifier = new Notifier({
    ...deps,
    lease: leaseOf('alerter/notify'),
    consequencesOf: (occurrence) => consequencesOf(consequences, occurrence, clock.now()),
    policy,
  });
  const dispatcher = new Dispatcher({
    ...deps,
    ...{ outbox: stores.outbox, receivers, pollMs: OUTBOX_POLL_MS },
    lease: leaseOf('alerter/dispatch'),
  });
  const { alertmanagers, alertmanagerResendMs, consoleUrl, watchdog } = notify;
  const works: Work[] = [(signal) => notifier.run(signal), (signal) => dispatcher.run(signal)];
  if (alertmanagers.length > 0) {
    const forwarder = new AlertmanagerForwarder({
      ...deps,
      ...{ alerts: stores.alerts, http, consoleUrl, resendMs: alertmanagerResendMs },
      peers: alertmanagers.map(({ url, headers }) => ({ url: new URL(url), headers })),
      lease: leaseOf('alerter/forward'),
    });
    works.push((signal) => forwarder.run(signal));
  }
  if (watchdog.url !== undefined) {
    const { url, method, intervalMs } = watchdog;
    const trouble = () => troubleOf(deps, evaluator);
    const beating = { ...deps, url: new URL(url), method, intervalMs, http, trouble };
    const heartbeat = new WatchdogHeartbeat(beating);
    works.push((signal) => heartbeat.run(signal));
  }
  return works;
}

function consequenceDeps(deps: AlerterDeps): ConsequenceDeps {
  const policies = new Map(policiesOf(deps.config.enforce).map((one) => [one.id, one]));
  return {
    links: extendLinksOf(deps.config),
    extensionsMax: ({ policy }) => policies.get(policy)?.extensionsMax ?? 0,
  };
}

function openEnforcer(deps: AlerterDeps, lease: HeldLease): Enforcer {
  const { config, stores, signals, clock, clusters } = deps;
  const { enforce, secret } = config;
  return new Enforcer({
    ...deps,
    settings: {
      policies: policiesOf(enforce),
      rules: enforceRulesOf(enforce),
      ...{ tickMs: enforce.tick, verifyMs: enforce.verify, actWithinMs: ACT_WITHIN_MS },
      ...{ operators: enforce.operators, secret, longestExemptionMs: enforce.longestExemption },
    },
    ...{ store: stores.enforcement, alerts: stores.alerts, outbox: stores.outbox },
    live: new LiveClusters({
      readers: new Map([...clusters].map(([id, { live }]) => [id, live])),
      ...{ applications: signals.applications, metrics: signals.metrics, clock },
    }),
    clusters: new Map(
      [...clusters].flatMap(([id, { reader, actuator }]) =>
        actuator === undefined ? [] : [[id, { reader, actuator }] as const],
      ),
    ),
    readSwitch: async () =>
      allOn([
        await switchOfFile(join(deps.dataFolder, 'enforcement-off')),
        switchOfWord('TOLLGATE_ENFORCEMENT', deps.enforcementWord),
      ]),
    links: extendLinksOf(deps.config),
    lease,
  });
}

type LeaseOf = (name: string) => HeldLease;

/**
 * Evaluates rules, tells whom they concern, and does what policies allow, until disposed; the stores
 * stay open, since others use them.
 */
export async function startAlerter(deps: AlerterDeps): Promise<AsyncDisposable> {
  const { stores, holder, clock, logger } = deps;
  const leases: HeldLease[] = [];
  const leaseOf: LeaseOf = (name) => {
    const lease = new HeldLease({ store: stores.leases, holder, clock, name, ttlMs: LEASE_MS });
    leases.push(lease);
    return lease;
  };
  const { files, run: watch } = watchRules(deps);
  const evaluator = openEvaluator(deps, files, leaseOf(EVALUATOR_LEASE.name));
  const enforcer = openEnforcer(deps, leaseOf('alerter/enforce'));
  const stop = new AbortController();
  const works = [
    watch,
    (signal: AbortSignal) => evaluator.run(signal),
    ...notifying(deps, evaluator, leaseOf),
    (signal: AbortSignal) => enforcer.run(signal),
  ];
  const running = works.map((work) => work(stop.signal));
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all(running);
      for (const lease of leases) {
        try {
          await lease[Symbol.asyncDispose]();
        } catch (error) {
          // It runs out by itself.
          logger.warn({ err: error }, 'a lease of the alerter was not given back');
        }
      }
    },
  };
}
