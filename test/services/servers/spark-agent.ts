import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { SparkHome } from './spark.ts';

const run = promisify(execFile);

export const AGENT_SOURCES = resolve(import.meta.dirname, '../../../services/spark-agent/src');

/** What of Spark the agent names; all 290 jars would take the compiler much longer. */
const NEEDED =
  /^(spark-(core|common-utils|sql|sql-api|catalyst)|scala-library|slf4j-api|metrics-core|jackson-annotations)[_-]/;

function sparkJars({ home }: SparkHome): string[] {
  return globSync(join(home, 'jars/*.jar')).filter((jar) =>
    NEEDED.test(jar.slice(jar.lastIndexOf('/') + 1)),
  );
}

export interface BuiltAgent {
  readonly jar: string;
  readonly classes: string;
  /** Of the Spark that it was compiled against. */
  readonly classPath: string;
}

/** Compiles the agent to Java 8 bytecode against one Spark and packs it: 2 s on a quiet machine. */
export async function buildAgent(spark: SparkHome, folder: string): Promise<BuiltAgent> {
  const classes = join(folder, 'agent-classes');
  const jar = join(folder, 'tollgate-spark-agent.jar');
  await mkdir(classes, { recursive: true });
  const sources = globSync(join(AGENT_SOURCES, 'main/java/**/*.java'));
  const classPath = sparkJars(spark).join(':');
  const options = ['--release', '8', '-Werror', '-Xlint:all,-options,-processing,-classfile,-path'];
  await run('javac', [...options, '-cp', classPath, '-d', classes, ...sources]);
  await cp(join(AGENT_SOURCES, 'main/resources'), classes, { recursive: true });
  await run('jar', ['cf', jar, '-C', classes, '.']);
  return { jar, classes, classPath };
}
