import { z } from 'zod';
import { isProjectId, type ProjectId } from '../../../shared/values/project-id.ts';

const head = z.object({
  cluster: z.string(),
  project: z.custom<ProjectId>(isProjectId).optional(),
  zone: z.string(),
  observedAt: z.number(),
});

/** What is known of the events in a frame beside themselves. */
export type FrameHead = z.infer<typeof head>;

const NEWLINE = 10;
const LENGTH_BYTES = 4;

/** A frame of whole events: a line of JSON, then each event's length and bytes. */
export function printFrame(frameHead: FrameHead, events: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify(frameHead)}\n`)];
  for (const event of events) {
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32LE(event.length);
    parts.push(length, event);
  }
  return Buffer.concat(parts);
}

/** Undefined when it isn't a frame of this version. */
export function parseFrame(payload: Buffer): { head: FrameHead; events: Buffer[] } | undefined {
  const newline = payload.indexOf(NEWLINE);
  if (newline === -1) return undefined;
  let parsed: FrameHead | undefined;
  try {
    parsed = head.safeParse(JSON.parse(payload.toString('utf8', 0, newline))).data;
  } catch {
    return undefined;
  }
  if (parsed === undefined) return undefined;
  const events: Buffer[] = [];
  let at = newline + 1;
  while (at + LENGTH_BYTES <= payload.length) {
    const length = payload.readUInt32LE(at);
    events.push(payload.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  return { head: parsed, events };
}
