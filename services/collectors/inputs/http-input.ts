import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type Request, type RequestHandler, Router } from 'express';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { parseProjectId } from '../../../shared/values/project-id.ts';
import type { IngestHandler } from '../core/ingest.ts';

export type IngestHandlers = Readonly<Record<QuarantinedRecord['collector'], IngestHandler>>;

export interface HttpInputOptions {
  readonly handlers: IngestHandlers;
  /** Largest body after decompression; more gets 413. */
  readonly bodyMaxBytes: number;
  /** Bodies of all requests in work; more get 429 with Retry-After. */
  readonly queueMaxBytes: number;
  readonly clock: Clock;
}

const CONTENT_TYPES = [
  'application/x-ndjson',
  'application/jsonl',
  'application/json',
  'text/plain',
];
const CLUSTER = /^[\w.:-]{1,64}$/;
/** What a request counts for in the queue before its size is known. */
const UNKNOWN_BYTES = 65_536;

function decoded(request: Request): Readable {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  switch (encoding) {
    case 'identity':
      return request;
    case 'gzip':
      return request.pipe(createGunzip());
    case 'zstd':
      return request.pipe(createZstdDecompress());
    default:
      throw new AppError(
        'UNSUPPORTED_MEDIA',
        `Content-Encoding ${encoding} is not supported; use gzip, zstd or none`,
      );
  }
}

/** Reads and decompresses a body, giving up as soon as it is larger than allowed. */
async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of decoded(request) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new AppError(
          'PAYLOAD_TOO_LARGE',
          `the body is larger than ${maxBytes} bytes after decompression; send it in parts`,
        );
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('BAD_REQUEST', 'the compressed body is damaged or cut; nothing was stored', {
      cause: error,
    });
  }
  if (!request.complete) throw new AppError('BAD_REQUEST', 'the body was cut; nothing was stored');
  return Buffer.concat(chunks);
}

function checkType(request: Request): void {
  const type = (request.headers['content-type'] ?? 'application/x-ndjson').split(';')[0]?.trim();
  if (CONTENT_TYPES.includes(type ?? '')) return;
  throw new AppError(
    'UNSUPPORTED_MEDIA',
    `Content-Type ${type} is not supported; send newline-delimited JSON as application/x-ndjson`,
  );
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function projectOf(request: Request) {
  const text = header(request, 'tollgate-project');
  if (text === undefined) return undefined;
  const project = parseProjectId(text);
  if (project === undefined) {
    throw new AppError('BAD_REQUEST', 'Tollgate-Project: the header is no project id');
  }
  return project;
}

function clusterOf(request: Request): string {
  const cluster = header(request, 'tollgate-cluster') ?? 'default';
  if (CLUSTER.test(cluster)) return cluster;
  throw new AppError('BAD_REQUEST', 'Tollgate-Cluster: letters, digits and . _ : - up to 64');
}

/**
 * `POST /v1/ingest/{logs,progress,metrics,containers}`: newline-delimited JSON, plain, gzip or
 * zstd. Answers 2xx only when the collector has stored, with a verdict for every refused line.
 */
export function createHttpInput(options: HttpInputOptions): Router {
  const { handlers, bodyMaxBytes, queueMaxBytes, clock } = options;
  let inWork = 0;

  const handle =
    (collector: IngestHandler): RequestHandler =>
    async (request, response) => {
      checkType(request);
      const [project, cluster] = [projectOf(request), clusterOf(request)];
      const expected = Number(request.headers['content-length'] ?? UNKNOWN_BYTES);
      if (inWork > 0 && inWork + expected > queueMaxBytes) {
        throw new AppError('OVERLOADED', 'too many records are in work; send these again later');
      }
      let counted = expected;
      inWork += counted;
      try {
        const body = await readBody(request, bodyMaxBytes);
        // Decompressed it may be larger than it was announced.
        inWork += body.length - counted;
        counted = body.length;
        response.json(await collector.ingest({ body, project, cluster, receivedAt: clock.now() }));
      } finally {
        inWork -= counted;
      }
    };

  const router = Router();
  for (const [name, collector] of Object.entries(handlers)) {
    router.post(`/v1/ingest/${name}`, handle(collector));
  }
  return router;
}
