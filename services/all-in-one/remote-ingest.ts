import type { RestIngest } from '../../shared/contracts/rest.ts';
import type { RpcClient } from '../../shared/runtime/worker-rpc.ts';
import type { QuarantinedRecord } from '../../shared/stores/quarantine.ts';

type Collector = QuarantinedRecord['collector'];

interface Pushed {
  readonly body: Uint8Array;
}

/** A collector's door for pushed records in another thread; the body moves there without a copy. */
export function remoteIngest(rpc: RpcClient, collector: Collector) {
  return {
    async ingest(request: Pushed): Promise<RestIngest> {
      // A small body lies in a pool that others share, and can't move.
      const whole = request.body.byteLength === request.body.buffer.byteLength;
      const body = whole ? request.body : Uint8Array.from(request.body);
      return await rpc.call(
        `ingest-${collector}`,
        [{ ...request, body }],
        [body.buffer as ArrayBuffer],
      );
    },
  };
}

/**
 * Sends quarantined records to their collectors, wherever those run.
 *
 * @returns how many are stored now; they have left the quarantine
 */
export async function replayAll(
  threads: Readonly<Record<Collector, RpcClient>>,
  records: readonly QuarantinedRecord[],
): Promise<{ stored: number }> {
  let stored = 0;
  for (const [collector, group] of Map.groupBy(records, (record) => record.collector)) {
    const rpc = threads[collector];
    const answer = await rpc.call<{ stored: number }>(`replay-${collector}`, [group]);
    stored += answer.stored;
  }
  return { stored };
}
