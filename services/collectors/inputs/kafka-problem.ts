import { AppError } from '../../../shared/errors/app-error.ts';
import type { KafkaConfig } from './kafka-config.ts';

interface Caused {
  readonly name?: string;
  readonly message?: string;
  readonly type?: string;
  readonly cause?: unknown;
}

/** An error and what caused it, outermost first. */
function chain(error: unknown): Caused[] {
  const found: Caused[] = [];
  for (let at = error as Caused | undefined; at !== undefined && at !== null; ) {
    found.push(at);
    if (found.length > 10) break;
    at = at.cause as Caused | undefined;
  }
  return found;
}

const UNTRUSTED =
  /self.signed certificate|unable to (get|verify)|certificate has expired|altnames|unknown ca/i;
const CLIENT_REFUSED =
  /alert (bad certificate|certificate required|certificate unknown|handshake)/i;
const NO_TLS = /wrong version number|packet length too long|ssl3_get_record/i;

function problemText(error: unknown, config: KafkaConfig): string | undefined {
  const causes = chain(error);
  const said = causes.map(({ message = '' }) => message).join('; ');
  const types = causes.map(({ type = '' }) => type);
  const names = causes.map(({ name = '' }) => name);
  const topics = config.topics.map(({ name }) => `"${name}"`).join(', ');
  if (names.includes('KafkaJSSASLAuthenticationError')) {
    const { username = '', mechanism = '' } = config.sasl ?? {};
    return `refuses the user "${username}" over ${mechanism}; check sasl.username, sasl.password and sasl.mechanism`;
  }
  if (UNTRUSTED.test(said)) {
    return 'has a certificate that is not trusted; set tls.caFile to the authority that signed it, and brokers to the names it is made for';
  }
  if (CLIENT_REFUSED.test(said)) {
    return 'refuses our certificate, or wants one; set tls.certificateFile and tls.keyFile to a pair that its authority signed';
  }
  if (NO_TLS.test(said)) return 'does not speak TLS on that port; remove tls, or correct the port';
  if (types.includes('UNKNOWN_TOPIC_OR_PARTITION')) {
    return `does not know one of the topics ${topics}; create it, or correct its name`;
  }
  if (types.includes('TOPIC_AUTHORIZATION_FAILED')) {
    return `does not let us read the topics ${topics}; allow READ and DESCRIBE on them`;
  }
  if (types.includes('GROUP_AUTHORIZATION_FAILED')) {
    return `does not let us join the group "${config.groupId}"; allow READ on it`;
  }
  return undefined;
}

/**
 * What is wrong with Kafka, said without a secret: CONFIG_INVALID when a person must act, else
 * INPUT_UNREADABLE, which time may mend.
 */
export function kafkaProblem(error: unknown, config: KafkaConfig): AppError {
  if (error instanceof AppError) return error;
  const where = `Kafka at ${config.brokers.join(', ')}`;
  const text = problemText(error, config);
  if (text !== undefined) return new AppError('CONFIG_INVALID', `${where} ${text}`);
  const said = chain(error).at(-1)?.message ?? String(error);
  const secret = config.sasl?.password ?? '';
  const clean = secret === '' ? said : said.replaceAll(secret, '…');
  return new AppError('INPUT_UNREADABLE', `${where} does not answer as it should: ${clean}`);
}
