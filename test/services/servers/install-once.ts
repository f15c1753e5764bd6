import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';

const run = promisify(execFile);

/** What brings the commands that servers are installed with. */
const SOURCES: Readonly<Record<string, string>> = {
  go: 'apt-get install golang-go, or a newer one from https://go.dev/dl',
  jar: 'apt-get install openjdk-17-jdk-headless',
  javac: 'apt-get install openjdk-17-jdk-headless',
  mvn: 'apt-get install maven',
  openssl: 'apt-get install openssl',
  'prometheus-alertmanager': 'apt-get install prometheus-alertmanager',
  python3: 'apt-get install python3-venv',
  unzip: 'apt-get install unzip',
};

/** Runs a command to its end. What it printed stands in the error when it fails. */
export async function runInstaller(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Record<string, string> },
): Promise<string> {
  try {
    const done = await run(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return done.stdout;
  } catch (error) {
    const { stdout = '', stderr = '', code } = error as Record<string, string | undefined>;
    const missing = code === 'ENOENT' ? `; it comes with: ${SOURCES[command] ?? command}` : '';
    throw new Error(
      `"${command} ${args.join(' ')}" failed${missing}: ${`${stdout}${stderr}`.slice(-2_000)}`,
    );
  }
}

/**
 * The folder of an installed server, made by `install` the first time. It is filled beside its
 * place and renamed when it is whole, so that an install that was interrupted leaves nothing half.
 *
 * @param name with its version, such as `influxdb-1.8.10`
 */
export async function installOnce(
  name: string,
  install: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheFolder(), name);
  if (existsSync(target)) return target;
  const folder = await mkdtemp(join(cacheFolder(), `${name}.part-`));
  try {
    await install(folder);
    await run('chmod', ['-R', 'a+rX', folder]);
    await rename(folder, target);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}
