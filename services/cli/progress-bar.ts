/** Where a bar is drawn: a terminal, or nothing. */
export type BarStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

export interface ProgressBar {
  update(name: string, done: number, total: number): void;
  stop(): void;
}

const FPS = 5;

/** A bar on a terminal that goes when it is done; nothing where the stream is none. */
export async function progressBar(stream: BarStream): Promise<ProgressBar> {
  if (stream.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const { Presets, SingleBar } = await import('cli-progress');
  const format = '{name} {bar} {percentage} %';
  const bar = new SingleBar(
    { format, stream, clearOnComplete: true, hideCursor: true, fps: FPS },
    Presets.shades_classic,
  );
  let isStarted = false;
  return {
    update: (name, done, total) => {
      if (!isStarted) bar.start(total, done, { name });
      else {
        bar.setTotal(total);
        bar.update(done, { name });
      }
      isStarted = true;
    },
    stop: () => {
      if (isStarted) bar.stop();
    },
  };
}
