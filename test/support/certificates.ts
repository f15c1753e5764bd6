import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TlsFiles } from '../../shared/config/listener-door.ts';

const run = promisify(execFile);

/** A certificate authority of a test, made with openssl, and what it has signed. */
export interface Authority {
  readonly caFile: string;
  readonly ca: string;
  /** A certificate for 127.0.0.1 and localhost; the same name again renews it in its files. */
  sign(name: string): Promise<TlsFiles & { readonly cert: string; readonly key: string }>;
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  try {
    await run('openssl', args, { cwd: folder });
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw isMissing ? new Error('openssl is missing: apt-get install openssl', { cause }) : cause;
  }
}

export async function makeAuthority(folder: string, name = 'ca'): Promise<Authority> {
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const file = (part: string): string => join(folder, part);
  await openssl(folder, [
    ...['req', '-x509', ...ec, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2'],
    ...['-subj', `/CN=Tollgate test ${name}`],
  ]);
  return {
    caFile: file(`${name}.pem`),
    ca: readFileSync(file(`${name}.pem`), 'utf8'),
    async sign(of) {
      await openssl(folder, [
        ...['req', '-x509', ...ec, '-keyout', `${of}.key`, '-out', `${of}.pem`, '-days', '2'],
        ...['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-subj', `/CN=${of}`],
        ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
        ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ]);
      const [certificateFile, keyFile] = [file(`${of}.pem`), file(`${of}.key`)];
      const [cert, key] = [readFileSync(certificateFile, 'utf8'), readFileSync(keyFile, 'utf8')];
      return { certificateFile, keyFile, caFile: '', cert, key };
    },
  };
}
