import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import type { TlsFiles } from '../config/listener-door.ts';
import { AppError } from '../errors/app-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Clock } from './clock.ts';

/** How often the files are looked at; a renewed certificate is used within this time. */
export const TLS_REREAD_MS = 10_000;
/** A client that connects and doesn't finish its handshake holds a connection only so long. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface ServerTlsDeps {
  readonly files: TlsFiles;
  /** Named in errors, such as `api` or `graphite`. */
  readonly name: string;
}

async function readPem({ name }: ServerTlsDeps, option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const message = `${name}: tls.${option}: ${file} cannot be read (${code}); check path and rights`;
    throw new AppError('CONFIG_INVALID', message, { cause });
  }
}

async function readFiles(deps: ServerTlsDeps): Promise<SecureContextOptions> {
  const { certificateFile, keyFile, caFile } = deps.files;
  const [cert, key, ca] = await Promise.all([
    readPem(deps, 'certificateFile', certificateFile),
    readPem(deps, 'keyFile', keyFile),
    caFile === '' ? undefined : readPem(deps, 'caFile', caFile),
  ]);
  const context = { cert, key, ...(ca === undefined ? {} : { ca }) };
  try {
    createSecureContext(context);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message =
      `${deps.name}: ${certificateFile} and ${keyFile}` +
      `${caFile === '' ? '' : ` with ${caFile}`} make no TLS certificate (${reason}); ` +
      'they must be PEM, unencrypted, and the key must be the one of the certificate';
    throw new AppError('CONFIG_INVALID', message, { cause });
  }
  return context;
}

/**
 * Options of a TLS server. With authorities of clients, one that has no certificate of theirs is
 * refused in the handshake.
 *
 * @throws AppError CONFIG_INVALID naming the file
 */
export async function readServerTls(deps: ServerTlsDeps): Promise<TlsOptions> {
  const asksClients = deps.files.caFile !== '';
  return {
    ...(await readFiles(deps)),
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    requestCert: asksClients,
    rejectUnauthorized: asksClients,
  };
}

function sameFiles(a: SecureContextOptions, b: SecureContextOptions): boolean {
  return (['cert', 'key', 'ca'] as const).every((part) => String(a[part]) === String(b[part]));
}

/**
 * Reads the files again and again and gives a server what has changed; connections that are open
 * stay as they are. Files that don't fit each other, as between the two steps of a renewal, leave
 * the last good ones in use.
 */
export function followServerTls(
  server: { setSecureContext(options: SecureContextOptions): void },
  first: TlsOptions,
  deps: ServerTlsDeps & { readonly clock: Clock; readonly logger: Logger },
): AsyncDisposable {
  const { clock, logger, name } = deps;
  const stop = new AbortController();
  let current: SecureContextOptions = first;
  let complaint = '';
  const look = async (): Promise<void> => {
    try {
      const next = await readFiles(deps);
      complaint = '';
      if (sameFiles(current, next)) return;
      server.setSecureContext({ ...next, minVersion: 'TLSv1.2' });
      current = next;
      logger.info({ listener: name }, 'a renewed certificate is in use');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== complaint)
        logger.warn({ listener: name, error: message }, 'certificate kept');
      complaint = message;
    }
  };
  const running = (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(TLS_REREAD_MS, stop.signal);
      if (!stop.signal.aborted) await look();
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
