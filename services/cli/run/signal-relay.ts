import type { OnSignal } from './run-child.ts';

type Heard = Parameters<OnSignal>[0];

/**
 * Signals from before a command until after its reservation is given back, so that none finds nobody
 * listening, which would end this process: one that is sent to a whole process group comes more than
 * once, since whoever started this process passes it on, too. Without a listener of its own it is
 * heard and forgotten.
 */
export function signalRelay(onSignal: OnSignal): Disposable & { readonly onSignal: OnSignal } {
  let listener: Heard | undefined;
  const outer = onSignal((signal) => listener?.(signal));
  return {
    onSignal: (heard) => {
      listener = heard;
      return {
        [Symbol.dispose]: () => {
          listener = undefined;
        },
      };
    },
    [Symbol.dispose]: () => outer[Symbol.dispose](),
  };
}
