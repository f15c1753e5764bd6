import { QUOTE_TAG } from '../../../shared/price/price-promise.ts';
import { RESERVATION_TAG } from '../../../shared/stores/reservation-store.ts';
import { isSparkCommand, readSparkCommand } from './spark-command.ts';

/** Whose an application is, and what holds for it. */
export interface Attribution {
  readonly project: string;
  readonly reservation: string | undefined;
  readonly quote: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A command as it is started. */
export interface AttributedCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

const PROJECT_KEY = 'spark.tollgate.project';
const TAG_PREFIX = 'spark.tollgate.tag.';

function propertiesOf({ project, reservation, quote }: Attribution): string[] {
  return [
    `${PROJECT_KEY}=${project}`,
    ...(reservation === undefined ? [] : [`${TAG_PREFIX}${RESERVATION_TAG}=${reservation}`]),
    ...(quote === undefined ? [] : [`${TAG_PREFIX}${QUOTE_TAG}=${quote}`]),
  ];
}

/** The project that a Spark command names itself; undefined where it names none. */
export function projectNamedBy([program = '', ...args]: readonly string[]): string | undefined {
  if (!isSparkCommand(program)) return undefined;
  return readSparkCommand(args).configuration.get(PROJECT_KEY);
}

/**
 * The command with what attributes its applications. A Spark program gets `--conf` right after its
 * name, so that what the command itself says later wins. Any other command may start one deep inside:
 * it gets the same properties in SPARK_SUBMIT_OPTS, the options of every spark-submit's JVM, which
 * Spark's own configuration is read from (PySpark in a Python program starts spark-submit, too), and
 * in variables of their own. Values are ids: they have no blanks or quotes.
 */
export function attributeCommand(
  [program = '', ...args]: readonly string[],
  attribution: Attribution,
  env: Environment,
): AttributedCommand {
  const properties = propertiesOf(attribution);
  const own = {
    TOLLGATE_PROJECT: attribution.project,
    // Not those of a command around this one.
    TOLLGATE_RESERVATION: attribution.reservation,
    TOLLGATE_QUOTE: attribution.quote,
  };
  if (isSparkCommand(program)) {
    const inserted = properties.flatMap((property) => ['--conf', property]);
    return { program, args: [...inserted, ...args], env: { ...env, ...own } };
  }
  const options = properties.map((property) => `-D${property}`);
  const before = env['SPARK_SUBMIT_OPTS']?.trim() ?? '';
  const merged = [...options, before].filter((part) => part !== '').join(' ');
  return { program, args, env: { ...env, ...own, SPARK_SUBMIT_OPTS: merged } };
}
