import { z } from 'zod';
import { isLoopback } from './loopback.ts';

const tls = z
  .object({
    certificateFile: z
      .string()
      .default('')
      .describe(
        'Certificate of this listener with its chain, PEM; with it the listener speaks TLS.',
      ),
    keyFile: z.string().default('').describe('Private key of the certificate, PEM.'),
    caFile: z
      .string()
      .default('')
      .describe('Authorities of client certificates, PEM; with it a client needs one of theirs.'),
  })
  .prefault({})
  .describe('TLS; the files are read again when they change.');

/** The options that every listener has beside its host and port. */
export const listenerDoor = {
  tls,
  insecure: z
    .boolean()
    .default(false)
    .describe('Lets this listener be reached from other machines without TLS.'),
};

export type TlsFiles = z.infer<typeof tls>;

/** A listener as its configuration says it; without `tls` and `insecure` it has neither. */
export interface Listener {
  readonly host: string;
  readonly tls?: TlsFiles;
  readonly insecure?: boolean;
}

export function speaksTls(listener: Pick<Listener, 'tls'>): boolean {
  return listener.tls !== undefined && listener.tls.certificateFile !== '';
}

interface DoorProblem {
  readonly path: string[];
  readonly message: string;
}

/** Why a listener may not be opened as it is configured: plain text to other machines, half a TLS. */
export function doorProblem(listener: Listener): DoorProblem | undefined {
  const { certificateFile = '', keyFile = '', caFile = '' } = listener.tls ?? {};
  if (certificateFile === '' && (keyFile !== '' || caFile !== '')) {
    const path = ['tls', keyFile !== '' ? 'keyFile' : 'caFile'];
    return { path, message: 'does nothing without tls.certificateFile; name that file too' };
  }
  if (certificateFile !== '' && keyFile === '') {
    const message = 'needs its private key; name the file in tls.keyFile';
    return { path: ['tls', 'certificateFile'], message };
  }
  if (certificateFile !== '' || listener.insecure === true || isLoopback(listener.host)) {
    return undefined;
  }
  const message =
    'can be reached from other machines: set tls.certificateFile and tls.keyFile, ' +
    'or insecure: true if what passes here may be read and changed on the way';
  return { path: ['host'], message };
}

/** Refuses a listener that other machines reach in plain text, at the line of its host. */
export function withDoor<S extends z.ZodType<Listener>>(schema: S): S {
  return schema.superRefine((listener, context) => {
    const problem = doorProblem(listener);
    if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
  }) as S;
}
