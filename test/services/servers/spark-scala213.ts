import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { installOnce, runInstaller } from './install-once.ts';
import { installSpark, type SparkHome } from './spark.ts';

const VERSION = '3.5.8';
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tollgate</groupId><artifactId>spark-on-scala-2.13</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.spark</groupId><artifactId>spark-sql_2.13</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`;

/**
 * Spark 3.5 on Scala 2.13: the package index has it on 2.12 alone, so its jars are replaced by
 * Maven's. 40 s and 180 MB the first time.
 */
export async function installSparkOnScala213(): Promise<SparkHome> {
  const usual = await installSpark(VERSION);
  const home = await installOnce(`spark-${VERSION}-scala-2.13`, async (folder) => {
    const isKept = (source: string): boolean => basename(source) !== 'jars';
    await cp(usual.home, folder, { recursive: true, filter: isKept });
    await mkdir(join(folder, 'jars'));
    await writeFile(join(folder, 'pom.xml'), POM);
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
    const where = ['-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'jars')}`];
    await runInstaller('mvn', ['-q', '-B', goal, ...where], { cwd: folder });
  });
  return { ...usual, home, env: { ...usual.env, SPARK_HOME: home } };
}
