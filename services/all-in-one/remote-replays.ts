import type { RestReplayLine } from '../../shared/contracts/rest-replay.ts';
import type { RpcClient } from '../../shared/runtime/worker-rpc.ts';
import type { ApiDeps } from '../api/start.ts';

/** Replays of tariffs as another thread makes them; who stops reading ends the work. */
export function remoteReplays(rpc: RpcClient): ApiDeps['tariffReplays'] {
  return async function* replay(question) {
    const id = await rpc.call<number>('begin-replay', [question]);
    try {
      for (;;) {
        const line = await rpc.call<RestReplayLine | undefined>('next-replay-line', [id]);
        if (line === undefined) return;
        yield line;
      }
    } finally {
      await rpc.call('end-replay', [id]);
    }
  };
}
