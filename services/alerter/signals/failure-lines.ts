import type { StoredLog } from '../../../shared/stores/log-store.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { Watched } from './list-applications.ts';
import { oneLine } from './one-line.ts';
import { rootCause } from './root-cause.ts';
import type { SignalDeps } from './signal-deps.ts';

const ERRORS_MAX = 50;
const REMEMBERED_MAX = 1_000;
/** Lines may come late; after that what was found stands. */
const LATE_MS = 5 * MINUTE_MS;

export interface FailureLines {
  readonly cause: string;
  /** The last lines, oldest first. */
  readonly last: string;
}

/** The driver's own errors come first: an executor's often only follow from them. */
function byDriver(errors: readonly StoredLog[]): string[] {
  const isDriver = ({ container }: StoredLog): boolean => container === 'driver';
  const sorted = [...errors.filter(isDriver), ...errors.filter((one) => !isDriver(one))];
  return sorted.map(({ message }) => message);
}

/** What the log says of a failure; looked up once for each application that ended. */
export class FailureLog {
  readonly #logs: SignalDeps['logs'];
  readonly #found = new Map<string, FailureLines>();

  constructor({ logs }: Pick<SignalDeps, 'logs'>) {
    this.#logs = logs;
  }

  async read(
    { app, key }: Watched,
    {
      reason,
      lines,
      at,
    }: { readonly reason: string; readonly lines: number; readonly at: Instant },
  ): Promise<FailureLines> {
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const end = app.end ?? at;
    const window = { from: app.start, until: Math.min(at, end + HOUR_MS) + 1 };
    const ask = { ...window, application: app.application };
    const errors = await this.#logs.search(app.project, {
      ...{ ...ask, minLevel: 'ERROR' as const, limit: ERRORS_MAX },
    });
    const last =
      lines === 0 ? [] : (await this.#logs.search(app.project, { ...ask, limit: lines })).records;
    const found = {
      cause: rootCause(byDriver(errors.records), reason),
      last: last
        .toReversed()
        .map(({ level, message }) => oneLine(`${level} ${message}`))
        .join('\n'),
    };
    if (at - end > LATE_MS) this.#remember(key, found);
    return found;
  }

  #remember(key: string, found: FailureLines): void {
    this.#found.set(key, found);
    const [oldest] = this.#found.keys();
    if (this.#found.size > REMEMBERED_MAX && oldest !== undefined) this.#found.delete(oldest);
  }
}
