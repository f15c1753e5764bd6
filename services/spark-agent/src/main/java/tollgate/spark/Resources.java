package tollgate.spark;

import java.util.Map;

/** What a container holds. */
final class Resources {
  final long millicores;
  final long memoryMib;
  final long gpus;

  Resources(long millicores, long memoryMib, long gpus) {
    this.millicores = millicores;
    this.memoryMib = memoryMib;
    this.gpus = gpus;
  }

  Map<String, Object> toJson() {
    return Json.object("millicores", millicores, "memoryMib", memoryMib, "gpus", gpus);
  }
}
