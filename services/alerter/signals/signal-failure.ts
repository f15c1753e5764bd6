/** Why a signal can't be told at all, and what to do about it; becomes the reading's `why`. */
export class SignalFailure extends Error {
  override readonly name = 'SignalFailure';
}
