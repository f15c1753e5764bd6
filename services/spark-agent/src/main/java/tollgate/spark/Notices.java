package tollgate.spark;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What the agent says in the driver's log: one line when something goes wrong, one when all works
 * again, however often it is tried between and however many of its ways are concerned.
 */
final class Notices {
  private static final int MAX_SAID = 100;

  private final Consumer<String> warn;
  private final Consumer<String> info;
  private final Map<String, String> current = new LinkedHashMap<>();
  private final Set<String> said = new HashSet<>();

  Notices(Consumer<String> warn, Consumer<String> info) {
    this.warn = warn;
    this.info = info;
  }

  /** @param way what doesn't work: a collector, or heartbeats */
  synchronized void problem(String way, String text) {
    String key = keyOf(text);
    boolean isNews = !current.containsValue(key);
    current.put(way, key);
    if (isNews) warn.accept("Tollgate: " + text);
  }

  synchronized void works(String way) {
    if (current.remove(way) == null || !current.isEmpty()) return;
    info.accept("Tollgate: sending works again");
  }

  /** The same text is said once only. */
  synchronized void once(String text) {
    if (said.size() < MAX_SAID && said.add(keyOf(text))) warn.accept("Tollgate: " + text);
  }

  void say(String text) {
    info.accept("Tollgate: " + text);
  }

  private static String keyOf(String text) {
    return text.replaceAll("\\d+", "#");
  }
}
