import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { installOnce, runInstaller } from './install-once.ts';

const VERSION = '8.19.16';
/** Where Debian's packages put theirs. */
const JVMS = '/usr/lib/jvm';
const ARTIFACT = 'org.elasticsearch.distribution.integ-test-zip:elasticsearch';

/**
 * Security keeps API keys in an index whose analyzers are in a module that this distribution
 * lacks. They are written here over Lucene's own filters, which it has.
 */
const PLUGIN = `package tollgate;
import java.util.*;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.apache.lucene.analysis.pattern.PatternCaptureGroupTokenFilter;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.*;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.*;
public class Analyzers extends Plugin implements AnalysisPlugin {
  static TokenFilterFactory filter(String name, UnaryOperator<TokenStream> make) {
    return new TokenFilterFactory() {
      public String name() { return name; }
      public TokenStream create(TokenStream stream) { return make.apply(stream); }
    };
  }
  static class Capture implements AnalysisProvider<TokenFilterFactory> {
    public TokenFilterFactory get(IndexSettings i, Environment e, String name, Settings s) {
      Pattern[] patterns = s.getAsList("patterns").stream().map(Pattern::compile).toArray(Pattern[]::new);
      boolean whole = s.getAsBoolean("preserve_original", true);
      return filter(name, in -> new PatternCaptureGroupTokenFilter(in, whole, patterns));
    }
    public boolean requiresAnalysisSettings() { return true; }
  }
  public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
    return Map.of(
      "pattern_capture", new Capture(),
      "unique", (i, e, name, s) -> filter(name, RemoveDuplicatesTokenFilter::new));
  }
  public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
    return Map.of("uax_url_email", (i, e, name, s) -> TokenizerFactory.newFactory(name, UAX29URLEmailTokenizer::new));
  }
}
`;
const descriptor = (version: string): string => `name=analyzers
description=analyzers of the security index
version=1
elasticsearch.version=${version}
java.version=${leastJava(version)}
classname=tollgate.Analyzers
`;

/** What a server of a version needs to run, and its plugins to be compiled. */
const leastJava = (version: string): number => (version.startsWith('8.') ? 17 : 21);

async function installPlugin(home: string, version: string, java: string): Promise<void> {
  const source = join(home, 'plugin-source');
  const target = join(home, 'plugins', 'analyzers');
  await mkdir(source);
  await mkdir(target);
  await writeFile(join(source, 'Analyzers.java'), PLUGIN);
  await writeFile(join(target, 'plugin-descriptor.properties'), descriptor(version));
  const classes = ['-cp', `${home}/lib/*`, '-d', join(source, 'out')];
  const files = [join(source, 'Analyzers.java')];
  const release = ['--release', `${leastJava(version)}`];
  const tool = (name: string): string => join(java, 'bin', name);
  await runInstaller(tool('javac'), [...release, ...classes, ...files], { cwd: source });
  const jar = join(target, 'analyzers.jar');
  await runInstaller(tool('jar'), ['cf', jar, '-C', join(source, 'out'), '.'], { cwd: source });
  await rm(source, { recursive: true });
}

export interface ElasticsearchInstall {
  /** Its home, which anybody can read. */
  readonly home: string;
  readonly javaHome: string;
}

/**
 * The server without its bundled Java and most modules, as Maven Central has it for tests.
 *
 * @param version 8.19.16 when undefined
 */
export async function installElasticsearch(
  version: string = VERSION,
): Promise<ElasticsearchInstall> {
  const javaHome = await findJava(leastJava(version));
  const folder = await installOnce(`elasticsearch-${version}`, async (target) => {
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
    const where = [`-Dartifact=${ARTIFACT}:${version}:zip`, `-DoutputDirectory=${target}`];
    await runInstaller('mvn', ['-q', '-B', goal, ...where], { cwd: target });
    const zip = join(target, `elasticsearch-${version}.zip`);
    await runInstaller('unzip', ['-q', zip, '-d', target], { cwd: target });
    await rm(zip);
    await installPlugin(join(target, `elasticsearch-${version}`), version, javaHome);
  });
  return { home: join(folder, `elasticsearch-${version}`), javaHome };
}

/** The home of a Java that is new enough: of JAVA_HOME, of the path, or of Debian's folder. */
async function findJava(least: number): Promise<string> {
  const onPath = await promisify(execFile)('which', ['java'])
    .then(async ({ stdout }) => dirname(dirname(await realpath(stdout.trim()))))
    .catch(() => '');
  const installed = await readdir(JVMS).catch(() => []);
  const homes = [process.env['JAVA_HOME'] ?? '', onPath, ...installed.map((n) => join(JVMS, n))];
  for (const home of homes) if (home !== '' && (await javaVersion(home)) >= least) return home;
  throw new Error(
    `no JDK ${least} or later in JAVA_HOME, the path or ${JVMS}; ` +
      `run "apt-get install openjdk-${least}-jdk-headless" or set JAVA_HOME`,
  );
}

/** Major version of a JDK by its `release` file, which each has since 9; 0 for anything else. */
async function javaVersion(home: string): Promise<number> {
  if (!existsSync(join(home, 'bin', 'javac'))) return 0;
  const text = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  return Number(/^JAVA_VERSION="(\d+)/m.exec(text)?.[1] ?? 0);
}
