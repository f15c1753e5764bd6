/** A batch of Kafka records that can't be unpacked; its reason is a fate's. */
export class BadBatch extends Error {
  override readonly name = 'BadBatch';
  readonly reason: 'batch-corrupt' | 'batch-too-large' | 'codec-unknown';

  constructor(reason: BadBatch['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}
