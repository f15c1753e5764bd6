import type { ApplicationKind } from '../rules/signals/application-signal.ts';
import { APPLICATION_KINDS } from '../rules/signals/application-signal.ts';

/** The tag by which an application says itself what it is. */
const KIND_TAG = 'tollgate.kind';

/** Names that servers and shells give their applications, lower case. */
const NAMES: readonly (readonly [ApplicationKind, readonly string[]])[] = [
  ['thrift', ['thrift jdbc/odbc server', 'hivethriftserver2', 'kyuubi_']],
  ['connect', ['spark connect server']],
  [
    'notebook',
    [
      ...['pysparkshell', 'spark shell', 'sparkr', 'sparkmagic', 'remotesparkmagics'],
      ...['livy-session-', 'zeppelin', 'jupyter', 'databricks shell', 'ipython'],
    ],
  ],
];

/**
 * What an application is: by its tag, else by its name, else by its streaming queries.
 *
 * @param streams it has reported streaming progress
 */
export function applicationKind(
  { name, tags }: { readonly name: string; readonly tags: Readonly<Record<string, string>> },
  streams: boolean,
): ApplicationKind {
  const said = APPLICATION_KINDS.find((kind) => tags[KIND_TAG] === kind);
  if (said !== undefined) return said;
  const lower = name.toLowerCase();
  const named = NAMES.find(([, beginnings]) => beginnings.some((one) => lower.startsWith(one)));
  return named?.[0] ?? (streams ? 'stream' : 'batch');
}
