package tollgate.spark;

import java.util.function.Consumer;

/**
 * What the agent says in the driver's log: one line when something goes wrong, one when it works
 * again, however often it is tried between.
 */
final class Notices {
  private final Consumer<String> warn;
  private final Consumer<String> info;
  private String current = "";
  private boolean told;

  Notices(Consumer<String> warn, Consumer<String> info) {
    this.warn = warn;
    this.info = info;
  }

  synchronized void problem(String text) {
    String key = text.replaceAll("\\d+", "#");
    if (key.equals(current)) return;
    current = key;
    told = true;
    warn.accept("Tollgate: " + text);
  }

  synchronized void works() {
    current = "";
    if (!told) return;
    told = false;
    info.accept("Tollgate: sending works again");
  }

  void once(String text) {
    warn.accept("Tollgate: " + text);
  }

  void say(String text) {
    info.accept("Tollgate: " + text);
  }
}
