import { basename } from 'node:path';

/** The programs of a Spark installation that take spark-submit's options, whatever a vendor calls them. */
const SPARK_PROGRAM = /^(?:spark\d?-(?:submit|shell|sql)|pyspark\d?|sparkR)(?:\.sh|\.cmd)?$/;

/** Options of spark-submit without a value. Source: apache/spark SparkSubmitOptionParser.java. */
const SWITCHES = new Set(['--supervise', '--usage-error', '--verbose', '-v', '--help', '-h']);

/** Options that are another way to say a property. */
const PROPERTIES: Readonly<Record<string, string>> = {
  '--name': 'spark.app.name',
  '--master': 'spark.master',
  '--deploy-mode': 'spark.submit.deployMode',
  '--driver-cores': 'spark.driver.cores',
  '--driver-memory': 'spark.driver.memory',
  '--executor-cores': 'spark.executor.cores',
  '--executor-memory': 'spark.executor.memory',
  '--num-executors': 'spark.executor.instances',
  '--total-executor-cores': 'spark.cores.max',
};

export function isSparkCommand(program: string): boolean {
  return SPARK_PROGRAM.test(basename(program));
}

/** What the options of a Spark command say; files of properties aren't read. */
export interface SparkCommand {
  readonly configuration: ReadonlyMap<string, string>;
  /** Jar, script or class that runs; '' for a shell. */
  readonly resource: string;
}

export function readSparkCommand(args: readonly string[]): SparkCommand {
  const configuration = new Map<string, string>();
  const set = (name: string, value: string): void => {
    if (name === '--conf' || name === '-c') {
      const at = value.indexOf('=');
      if (at > 0) configuration.set(value.slice(0, at), value.slice(at + 1));
      return;
    }
    const property = PROPERTIES[name];
    // An option goes before a property that says the same, as in spark-submit itself.
    if (property !== undefined) configuration.set(property, value);
  };
  let index = 0;
  for (; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (!arg.startsWith('-')) break;
    const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    if (name !== undefined && value !== undefined) set(name, value);
    else if (!SWITCHES.has(arg)) {
      index += 1;
      set(arg, args[index] ?? '');
    }
  }
  return { configuration, resource: args[index] ?? '' };
}
