import type { Clock } from '../../shared/runtime/clock.ts';
import type {
  ElasticAnswer,
  ElasticRequest,
} from '../../shared/stores/elastic/elastic-requests.ts';

/** Time passes only for those who sleep, and at once. */
export class LeapingClock implements Clock {
  readonly sleeps: number[] = [];
  #now: number;

  constructor(now = Date.UTC(2026, 10, 21, 8)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.sleeps.push(ms);
    this.#now += ms;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface BulkRequest {
  readonly bytes: number;
  readonly ids: readonly string[];
}

/**
 * The part of Elasticsearch that bulks meet, in memory: what `create` does, after what the test
 * says before it.
 */
export class BulkServer {
  readonly url = 'http://elastic.test';
  /** `index/id` of each document. */
  readonly documents = new Set<string>();
  readonly bulks: BulkRequest[] = [];
  /** Requests under way at most at a time. */
  most = 0;
  #now = 0;
  /** An answer instead of storing, or an error instead of an answer. */
  instead: (bulk: BulkRequest) => ElasticAnswer | Error | undefined = () => undefined;
  /** An answer for one document instead of storing it. */
  insteadOf: (id: string, index: string) => object | undefined = () => undefined;

  async send(request: ElasticRequest): Promise<ElasticAnswer> {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    await new Promise((resolve) => setImmediate(resolve));
    this.#now -= 1;
    return request.path === '/_mget' ? this.#mget(request) : this.#bulk(request.lines ?? '');
  }

  #bulk(lines: string): ElasticAnswer {
    const actions = lines
      .split('\n')
      .slice(0, -1)
      .filter((_, i) => i % 2 === 0)
      .map((line) => (JSON.parse(line) as { create: { _index: string; _id: string } }).create);
    const bulk = { bytes: Buffer.byteLength(lines), ids: actions.map(({ _id }) => _id) };
    this.bulks.push(bulk);
    const answer = this.instead(bulk);
    if (answer instanceof Error) throw answer;
    if (answer !== undefined) return answer;
    const items = actions.map(({ _index, _id }) => {
      const other = this.insteadOf(_id, _index);
      if (other !== undefined) return { create: other };
      const key = `${_index}/${_id}`;
      if (this.documents.has(key)) return { create: { status: 409, error: { type: 'conflict' } } };
      this.documents.add(key);
      return { create: { status: 201 } };
    });
    return { status: 200, body: { items } };
  }

  #mget({ body }: ElasticRequest): ElasticAnswer {
    const { docs } = body as { docs: { _index: string; _id: string }[] };
    const found = docs.map(({ _index, _id }) => ({
      _id,
      found: this.documents.has(`${_index}/${_id}`),
    }));
    return { status: 200, body: { docs: found } };
  }
}
