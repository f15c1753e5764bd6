import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runSpark, type SparkHome, type SparkRun } from '../servers/spark.ts';

const DONE_WITHIN_MS = 120_000;

/** A Spark application in one JVM, `commanded.py`, that does one thing after another as it is told. */
export class CommandedApplication {
  readonly ended: Promise<SparkRun>;
  readonly #folder: string;
  #commands = 0;

  private constructor(ended: Promise<SparkRun>, folder: string) {
    this.ended = ended;
    this.#folder = folder;
  }

  static async start(
    spark: SparkHome,
    folder: string,
    conf: Readonly<Record<string, string>>,
  ): Promise<CommandedApplication> {
    const commands = join(folder, 'commands');
    await mkdir(commands, { recursive: true });
    const app = join(import.meta.dirname, 'commanded.py');
    const ended = runSpark(spark, { app, args: [commands], conf, timeoutMs: 400_000 });
    // Whoever awaits it sees the failure; a test that fails before doesn't.
    ended.catch(() => undefined);
    return new CommandedApplication(ended, commands);
  }

  /** Tells it the next command; @return its number */
  async tell(command: string): Promise<number> {
    this.#commands += 1;
    const path = join(this.#folder, `${this.#commands}`);
    await writeFile(`${path}.part`, command);
    await rename(`${path}.part`, path);
    return this.#commands;
  }

  /** @return how many seconds the command took */
  async done(number: number): Promise<number> {
    const path = join(this.#folder, `${number}.done`);
    const deadline = performance.now() + DONE_WITHIN_MS;
    while (!existsSync(path)) {
      if (performance.now() > deadline) throw new Error(`command ${number} is not done in time`);
      await new Promise((next) => setTimeout(next, 10));
    }
    return Number(readFileSync(path, 'utf8'));
  }

  /** @return how many seconds it took */
  async do(command: string): Promise<number> {
    return await this.done(await this.tell(command));
  }
}
