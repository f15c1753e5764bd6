import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { ByteShare } from './byte-budget.ts';

export interface BodyLimits {
  /** Of the decompressed body. */
  readonly maxBytes: number;
  readonly share: ByteShare;
  readonly retryAfterMs: number;
}

/** A frame may ask for a window of this much memory, 8 MiB; `zstd -19` asks for no more. */
const ZSTD_WINDOW_LOG = 23;

/** What undoes a Content-Encoding; undefined where there is none. */
function decompressor(encoding: string): Transform | undefined {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'zstd':
      return createZstdDecompress({
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
      });
    default:
      throw new AppError(
        'UNSUPPORTED_MEDIA',
        `Content-Encoding ${encoding.slice(0, 40)} is not supported; send gzip, zstd or none`,
      );
  }
}

function brokenCompression(encoding: string, cause: NodeJS.ErrnoException): AppError {
  const text =
    cause.code === 'Z_BUF_ERROR' ? 'is cut: it ends too early' : `is damaged (${cause.message})`;
  const message = `the ${encoding} body ${text}; nothing of it was stored, send it again whole`;
  return new AppError('BAD_REQUEST', message, { cause });
}

/** Gathers a body's chunks within both limits. */
class BodyParts {
  readonly #limits: BodyLimits;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** The error of the first limit that the chunk breaks. */
  add(chunk: Buffer): AppError | undefined {
    const { maxBytes, share, retryAfterMs } = this.#limits;
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) {
      const message = `the body has more than ${maxBytes} bytes decompressed; send it in parts`;
      return new AppError('PAYLOAD_TOO_LARGE', message);
    }
    if (!share.grow(chunk.length)) {
      const message = 'too many bytes are being stored; send the same body again later';
      return new AppError('OVERLOADED', message, { details: { retryAfterMs } });
    }
    this.#parts.push(chunk);
    return undefined;
  }

  whole(): Buffer {
    return Buffer.concat(this.#parts, this.#bytes);
  }
}

/**
 * Reads and decompresses a body. The request is never destroyed: what is left of it after an error
 * is read and thrown away by the server, so that the sender can read the answer.
 *
 * @throws AppError BAD_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA or OVERLOADED
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? '';
  const transform = decompressor(encoding);
  const parts = new BodyParts(limits);
  let received = 0;
  return new Promise((resolve, reject) => {
    const settle = (error?: AppError): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      // The server's own dump goes on with the rest.
      request.resume();
      transform?.destroy();
      if (error === undefined) resolve(parts.whole());
      else reject(error);
    };
    const take = (chunk: Buffer): void => {
      const error = parts.add(chunk);
      if (error !== undefined) settle(error);
    };
    const onData = (chunk: Buffer): void => {
      received += chunk.length;
      if (transform === undefined) take(chunk);
      else if (!transform.write(chunk)) request.pause();
    };
    const onEnd = (): void => {
      if (transform === undefined) settle();
      else transform.end();
    };
    const onClose = (): void => {
      if (!request.complete) settle(new AppError('BAD_REQUEST', 'the request broke off'));
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
    request.on('error', () => onClose());
    transform?.on('data', take).on('drain', () => request.resume());
    transform?.on('error', (cause) => settle(brokenCompression(encoding, cause)));
    transform?.on('end', () => {
      const unread = received - (transform as unknown as { bytesWritten: number }).bytesWritten;
      if (unread <= 0) return settle();
      const message = `the ${encoding} body has ${unread} bytes after its end; nothing was stored`;
      settle(new AppError('BAD_REQUEST', message));
    });
  });
}
