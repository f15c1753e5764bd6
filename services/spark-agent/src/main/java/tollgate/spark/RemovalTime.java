package tollgate.spark;

import java.util.Map;

/**
 * When an executor ended that Spark reports removed. On a standalone cluster a driver whose executor
 * has left waits for the master to say why, and the master says nothing of those that it was asked
 * to kill, so that the removal stands late by the whole wait. Source: apache/spark
 * core/…/cluster/StandaloneSchedulerBackend.scala, since 3.4.
 */
final class RemovalTime {
  private static final long DEFAULT_DELAY_MS = 5_000;

  private final long delayMs;

  RemovalTime(Map<String, String> configuration) {
    String master = configuration.get("spark.master");
    String delay = configuration.get("spark.standalone.executorRemoveDelayOnDisconnection");
    long asked = Sizes.millis(delay);
    boolean isStandalone = master != null && master.startsWith("spark://");
    delayMs = isStandalone ? (asked < 0 ? DEFAULT_DELAY_MS : asked) : 0;
  }

  long time(long at, String reason) {
    boolean isUntold =
        reason != null
            && (reason.startsWith("Executor killed by driver")
                || reason.startsWith("Remote RPC client disassociated"));
    return isUntold ? at - delayMs : at;
  }
}
