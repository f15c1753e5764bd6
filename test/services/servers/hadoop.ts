import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installOnce, runInstaller } from './install-once.ts';

const VERSION = '3.5.0';

/** Hadoop's artifacts with what they need, from Maven, in `lib` of the folder. */
export function installHadoop(name: string, artifacts: readonly string[]): Promise<string> {
  return installOnce(`${name}-${VERSION}`, async (folder) => {
    const dependencies = artifacts.map(
      (artifact) =>
        `<dependency><groupId>org.apache.hadoop</groupId><artifactId>${artifact}</artifactId>` +
        `<version>${VERSION}</version></dependency>`,
    );
    const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tollgate</groupId><artifactId>${name}</artifactId><version>1</version>
  <dependencies>${dependencies.join('\n')}</dependencies>
</project>
`;
    await writeFile(join(folder, 'pom.xml'), pom);
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
    const where = ['-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'lib')}`];
    await runInstaller('mvn', ['-q', '-B', goal, ...where], { cwd: folder });
  });
}

export function siteXml(properties: Readonly<Record<string, string>>): string {
  const rows = Object.entries(properties).map(
    ([name, value]) => `<property><name>${name}</name><value>${value}</value></property>`,
  );
  return `<configuration>\n${rows.join('\n')}\n</configuration>\n`;
}

/** What servers give to their children as JAVA_HOME. */
export async function javaHome(): Promise<string> {
  const { stderr } = await promisify(execFile)('java', ['-XshowSettings:properties', '-version']);
  const home = /java\.home = (.+)/.exec(stderr)?.[1];
  if (home === undefined) throw new Error(`java does not say where it is: ${stderr}`);
  return home.trim();
}
