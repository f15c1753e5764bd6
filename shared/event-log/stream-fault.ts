/**
 * Why unpacking stopped before the input's end was understood. Everything before it was given out.
 * `truncated`: the input ends inside a frame, as a log that is still being written does.
 * `corrupt`: bytes that the format doesn't allow.
 */
export class StreamFault extends Error {
  override readonly name = 'StreamFault';
  readonly kind: 'truncated' | 'corrupt';

  constructor(kind: 'truncated' | 'corrupt', message: string) {
    super(message);
    this.kind = kind;
  }
}
