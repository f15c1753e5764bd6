import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { installOnce, runInstaller } from './install-once.ts';

const VERSION = '8.19.16';
const ZIP = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${VERSION}:zip`;

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
const DESCRIPTOR = `name=analyzers
description=analyzers of the security index
version=1
elasticsearch.version=${VERSION}
java.version=17
classname=tollgate.Analyzers
`;

async function installPlugin(home: string): Promise<void> {
  const source = join(home, 'plugin-source');
  const target = join(home, 'plugins', 'analyzers');
  await mkdir(source);
  await mkdir(target);
  await writeFile(join(source, 'Analyzers.java'), PLUGIN);
  await writeFile(join(target, 'plugin-descriptor.properties'), DESCRIPTOR);
  const classes = ['-cp', `${home}/lib/*`, '-d', join(source, 'out')];
  const files = [join(source, 'Analyzers.java')];
  await runInstaller('javac', ['--release', '17', ...classes, ...files], { cwd: source });
  const jar = join(target, 'analyzers.jar');
  await runInstaller('jar', ['cf', jar, '-C', join(source, 'out'), '.'], { cwd: source });
  await rm(source, { recursive: true });
}

/**
 * The server without its bundled Java and most modules, as Maven Central has it for tests.
 *
 * @returns its home, which anybody can read
 */
export async function installElasticsearch(): Promise<string> {
  const folder = await installOnce(`elasticsearch-${VERSION}`, async (target) => {
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
    const where = [`-Dartifact=${ZIP}`, `-DoutputDirectory=${target}`];
    await runInstaller('mvn', ['-q', '-B', goal, ...where], { cwd: target });
    const zip = join(target, `elasticsearch-${VERSION}.zip`);
    await runInstaller('unzip', ['-q', zip, '-d', target], { cwd: target });
    await rm(zip);
    await installPlugin(join(target, `elasticsearch-${VERSION}`));
  });
  return join(folder, `elasticsearch-${VERSION}`);
}

/** A Java of version 17 or later, by JAVA_HOME or the path. */
export async function javaHome(): Promise<string> {
  const given = process.env['JAVA_HOME'];
  if (given !== undefined && existsSync(join(given, 'bin', 'java'))) return given;
  const { stdout } = await promisify(execFile)('which', ['java']).catch(() => {
    throw new Error(
      'no java in JAVA_HOME or the path; run "apt-get install openjdk-17-jdk-headless"',
    );
  });
  return dirname(dirname(await realpath(stdout.trim())));
}
