package tollgate.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The memory in which executors may keep blocks, as points of `spark_storage`: when a block manager
 * comes, and zero when it goes, which is no executor's end.
 */
final class StorageMemory {
  /** Changes that wait for the application's name, or for the next heartbeat. */
  private static final int MAX_PENDING = 10_000;

  private static final class Change {
    final String executor;
    final long onHeap;
    final long offHeap;
    final long at;

    Change(String executor, long onHeap, long offHeap, long at) {
      this.executor = executor;
      this.onHeap = onHeap;
      this.offHeap = offHeap;
      this.at = at;
    }
  }

  private final List<Change> pending = new ArrayList<>();

  /** @param onHeap most that it may hold there, in bytes; likewise `offHeap` */
  synchronized void added(String executor, long onHeap, long offHeap, long at) {
    if (pending.size() < MAX_PENDING) pending.add(new Change(executor, onHeap, offHeap, at));
  }

  void removed(String executor, long at) {
    added(executor, 0, 0, at);
  }

  /** @param tags of the application */
  synchronized List<String> lines(Map<String, Object> tags) {
    List<String> lines = new ArrayList<>();
    for (Change change : pending) {
      Map<String, Object> own = Json.object("executor", change.executor);
      own.putAll(tags);
      lines.add(point("maxOnHeapBytes", change.onHeap, own, change.at));
      lines.add(point("maxOffHeapBytes", change.offHeap, own, change.at));
    }
    pending.clear();
    return lines;
  }

  private static String point(String field, long value, Map<String, Object> tags, long at) {
    return Json.write(
        Json.object(
            "measurement", "spark_storage", "field", field, "tags", tags, "at", at, "value", value));
  }
}
