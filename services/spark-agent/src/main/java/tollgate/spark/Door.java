package tollgate.spark;

import java.util.List;
import java.util.Map;

/** A way out for lines, used by one thread. Every failure is an answer with one sentence; nothing is thrown. */
interface Door {
  /** Comes back when the other side has the lines for good, or after about so long. */
  Answer send(String collector, List<String> lines, long timeoutMs);

  /** Where it leads, for a person; without a secret. */
  String place();

  /** The same, for lines on disk: they go to the place that they were meant for. */
  Map<String, Object> address();

  void close();
}
