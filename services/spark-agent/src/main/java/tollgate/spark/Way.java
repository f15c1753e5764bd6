package tollgate.spark;

import java.util.concurrent.TimeUnit;

/** One address that is sent to, with its own patience: what is refused there concerns no other. */
final class Way {
  private static final long RETRY_BASE_MS = 500;
  private static final long RETRY_CAP_MS = 60_000;

  final String name;
  /** Null for heartbeats, which are made when they are sent. */
  final LineQueue queue;
  /** Whether an earlier application, or this one, may have left lines for it on disk. */
  boolean mayHaveSpool = true;
  private int failures;
  private long retryAt;

  Way(String name, LineQueue queue) {
    this.name = name;
    this.queue = queue;
  }

  void worked() {
    failures = 0;
  }

  /**
   * @param askedMs what the answer asks to wait
   * @param random of 0 to 1: half of the wait, so that a platform's agents don't come back together
   */
  void failed(long askedMs, double random) {
    failures++;
    long span = Math.min(RETRY_CAP_MS, RETRY_BASE_MS << Math.min(failures, 10));
    long waitMs = Math.max(Math.min(askedMs, RETRY_CAP_MS), span / 2 + (long) (random * span / 2));
    retryAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
  }

  int failures() {
    return failures;
  }

  boolean isDue() {
    return failures == 0 || System.nanoTime() - retryAt >= 0;
  }
}
