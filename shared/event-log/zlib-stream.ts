import type { Transform } from 'node:stream';
import { StreamFault } from './stream-fault.ts';

/** Small enough that one slice of a bomb can't blow up to much before it is handed on. */
const SLICE_BYTES = 16 * 1024;

function faultOf(error: Error & { code?: string }, codec: string): StreamFault {
  if (error.code === 'Z_BUF_ERROR') return new StreamFault('truncated', 'ends inside a frame');
  return new StreamFault('corrupt', `the ${codec} stream is corrupt: ${error.message}`);
}

function readChunk(transform: Transform): Uint8Array | null {
  return transform.read();
}

/** Resolves at the next sign of life of the stream. */
class Wake {
  #resolve: (() => void) | undefined;
  #rung = false;

  ring(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  async wait(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#resolve = undefined;
    this.#rung = false;
  }
}

/**
 * Runs bytes through a zlib or zstd stream of Node. Unlike a pipe it gives everything that can be
 * decoded before it says that the input is truncated: Node drops what an erring stream still holds.
 * Each slice's output is handed on as soon as it is there, so a log can be followed while it grows.
 *
 * @throws StreamFault
 */
export async function* zlibStream(
  input: AsyncIterable<Uint8Array>,
  transform: Transform,
  codec: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const wake = new Wake();
  let failure: Error | undefined;
  let ended = false;
  transform.on('readable', () => wake.ring());
  transform.on('end', () => {
    ended = true;
    wake.ring();
  });
  transform.on('error', (error) => {
    failure = error;
    wake.ring();
  });
  async function* drain(done: () => boolean): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      for (let chunk = readChunk(transform); chunk !== null; chunk = readChunk(transform))
        yield chunk;
      if (failure !== undefined) throw faultOf(failure, codec);
      if (done() || ended) return;
      await wake.wait();
    }
  }
  try {
    for await (const chunk of input) {
      for (let from = 0; from < chunk.byteLength; from += SLICE_BYTES) {
        let written = false;
        transform.write(chunk.subarray(from, from + SLICE_BYTES), () => {
          written = true;
          wake.ring();
        });
        yield* drain(() => written);
      }
    }
    transform.end();
    yield* drain(() => ended);
  } finally {
    transform.destroy();
  }
}
