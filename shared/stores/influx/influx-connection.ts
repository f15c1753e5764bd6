import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpError, InfluxDB, type SendOptions } from '@influxdata/influxdb-client';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { InfluxConfig } from './config.ts';
import { quoteName } from './influx-name.ts';
import { type InfluxTarget, influxTarget, type Policy, shownServer } from './influx-target.ts';
import { type AnswerPart, readAnswer } from './query-answer.ts';

/** 1.8 repeats an error in a header, with the whole line: up to 70 kB. */
const MAX_HEADER_BYTES = 262_144;
/** The client gzips a text that is longer than its threshold. */
const NEVER = Number.MAX_SAFE_INTEGER;

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** As the server names itself; '' when it doesn't, or refuses the request. */
  readonly version: string;
}

/** Requests to one InfluxDB server, through the official client's transport. */
export class InfluxConnection implements Disposable {
  readonly target: InfluxTarget;
  /** Address without secrets, for messages. */
  readonly shown: string;
  readonly #config: InfluxConfig;
  readonly #clock: Clock;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #transport: InfluxDB['transport'];

  /** @throws AppError STORE_MISCONFIGURED when the CA file can't be read */
  constructor(config: InfluxConfig, clock: Clock) {
    this.target = influxTarget(config);
    this.shown = shownServer(config.url);
    this.#config = config;
    this.#clock = clock;
    const secure = config.url.startsWith('https:');
    const ca = config.caFile === '' ? undefined : this.#readCa(config.caFile);
    this.#agent = secure
      ? new HttpsAgent({ keepAlive: true, ...(ca !== undefined && { ca }) })
      : new HttpAgent({ keepAlive: true });
    const { token } = this.target;
    this.#transport = new InfluxDB({
      url: config.url.replace(/\/\/[^/@]*@/, '//'),
      ...(token !== '' && { token }),
      // The client would report its own time-out and leave the request running.
      timeout: 0,
      transportOptions: { agent: this.#agent, maxHeaderSize: MAX_HEADER_BYTES },
    }).transport;
  }

  /** Name of a measurement in one of the two policies, for InfluxQL. */
  from(policy: Policy, encodedMeasurement: string): string {
    return `${quoteName(policy)}.${quoteName(encodedMeasurement)}`;
  }

  /** Sends lines. Resolves with any answer; @throws AppError STORE_UNAVAILABLE without one. */
  write(policy: Policy, lines: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { database, org } = this.target;
    const query = new URLSearchParams({ org, bucket: `${database}/${policy}`, precision: 'ms' });
    return this.request(`/api/v2/write?${query}`, {
      method: 'POST',
      body: lines,
      gzip: this.#config.gzip,
      contentType: 'text/plain; charset=utf-8',
      signal,
    });
  }

  /** Any request, with its time-out. */
  async request(
    path: string,
    options: {
      readonly method: string;
      readonly body?: string;
      readonly contentType?: string;
      readonly gzip?: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<HttpAnswer> {
    const { method, body = '', contentType = 'application/json', gzip = false } = options;
    return this.#limited(options.signal, async (signal) => {
      try {
        return await this.#send(path, body, {
          method,
          headers: { 'content-type': contentType },
          gzipThreshold: gzip ? 1_000 : NEVER,
          signal,
        });
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        return { status: error.statusCode, text: error.body ?? error.message, version: '' };
      }
    });
  }

  /**
   * Answers of InfluxQL statements, row by row as they come.
   *
   * @throws AppError STORE_UNAVAILABLE, STORE_MISCONFIGURED
   */
  async *query(statements: string, signal: AbortSignal): AsyncGenerator<AnswerPart> {
    const { database } = this.target;
    const query = new URLSearchParams({ db: database, epoch: 'ms', chunked: 'true' });
    const over = new AbortController();
    const late = this.#lateAfter(over);
    try {
      const bytes = this.#transport.iterate(
        `/query?${query}`,
        new URLSearchParams({ q: statements }).toString(),
        {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          gzipThreshold: NEVER,
          signal: AbortSignal.any([signal, over.signal]),
        },
      );
      yield* readAnswer(bytes);
    } catch (error) {
      throw this.#queryError(error);
    } finally {
      late.abort();
      over.abort();
    }
  }

  /** What couldn't be done, as an error that says where. */
  unavailable(what: string, cause?: unknown): AppError {
    return new AppError('STORE_UNAVAILABLE', `InfluxDB at ${this.shown} ${what}`, { cause });
  }

  /** A segment of 1.8's log whose write once failed answers that error until the server's restart. */
  full(): AppError {
    return new AppError(
      'DISK_FULL',
      `InfluxDB at ${this.shown} has no room on its disk; free some, and restart it if it says so still`,
    );
  }

  misconfigured(what: string): AppError {
    return new AppError(
      'STORE_MISCONFIGURED',
      `InfluxDB at ${this.shown} ${what} (${this.#asked()}); correct the configuration or the ` +
        'rights, or run "tollgate stores init"',
    );
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send(path: string, body: string, options: SendOptions): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      let status = 0;
      let version = '';
      this.#transport.send(path, body, options, {
        responseStarted: (headers, code) => {
          status = code ?? 0;
          version = String(headers['x-influxdb-version'] ?? '');
        },
        next: (chunk) => {
          chunks.push(chunk);
        },
        error: reject,
        complete: () => resolve({ status, text: Buffer.concat(chunks).toString(), version }),
      });
    });
  }

  #asked(): string {
    const { isV2, database, org } = this.target;
    return isV2
      ? `organization ${org}, buckets ${database}/raw and ${database}/long`
      : `database ${database}, user ${this.#config.username || 'none'}`;
  }

  #readCa(file: string): Buffer {
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new AppError('STORE_MISCONFIGURED', `InfluxDB's caFile ${file} can't be read`, {
        cause,
      });
    }
  }

  #queryError(error: unknown): AppError {
    if (error instanceof AppError) return error;
    if (!(error instanceof HttpError)) return this.unavailable("can't be reached", error);
    const text = (error.body ?? '').slice(0, 300);
    if (error.statusCode === 401) {
      return this.misconfigured("doesn't accept the user and password or the token");
    }
    if (error.statusCode === 403) return this.misconfigured('gives no right to read');
    if (error.statusCode === 404) return this.misconfigured('has no such database or mapping');
    return error.statusCode < 500 && error.statusCode !== 429
      ? new AppError('BAD_REQUEST', `InfluxDB refuses the query: ${text}`)
      : this.unavailable(`answers ${error.statusCode}: ${text}`);
  }

  #lateAfter(over: AbortController): AbortController {
    const done = new AbortController();
    void this.#clock.sleep(this.#config.requestTimeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) over.abort();
    });
    return done;
  }

  async #limited<T>(signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const over = new AbortController();
    const late = this.#lateAfter(over);
    try {
      return await run(AbortSignal.any([signal, over.signal]));
    } catch (error) {
      const what = over.signal.aborted
        ? `doesn't answer within ${this.#config.requestTimeoutMs} ms`
        : "can't be reached or breaks off";
      throw this.unavailable(what, error);
    } finally {
      late.abort();
    }
  }
}
