package tollgate.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What an application's jobs and stages have come to so far, as points of `spark_activity`. */
final class ActivityTotals {
  private final Map<String, Long> totals = new LinkedHashMap<>();
  private boolean hasChanged;

  /** Adds to a field; a negative amount takes away. */
  synchronized void add(String field, long amount) {
    totals.merge(field, amount, Long::sum);
    hasChanged = true;
  }

  /**
   * One line a field, or none while nothing has happened since the last time.
   *
   * @param tags of the application
   */
  synchronized List<String> lines(Map<String, Object> tags, long at) {
    List<String> lines = new ArrayList<>();
    if (!hasChanged) return lines;
    hasChanged = false;
    for (Map.Entry<String, Long> total : totals.entrySet()) {
      lines.add(
          Json.write(
              Json.object(
                  "measurement", "spark_activity",
                  "field", total.getKey(),
                  "tags", tags,
                  "at", at,
                  "value", total.getValue())));
    }
    return lines;
  }
}
