package tollgate.spark;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;

/** Asks Tollgate whether the application may start, before it has asked its cluster for anything. */
final class QuotaCheck {
  private final AgentConfig config;
  private final HttpDoor door;
  private final Notices notices;

  /** @param door null without an address */
  QuotaCheck(AgentConfig config, HttpDoor door, Notices notices) {
    this.config = config;
    this.door = door;
    this.notices = notices;
  }

  /** @throws QuotaDenied when it may not, or when nobody knows and the fail mode is `closed` */
  void demand() {
    if (config.project.isEmpty()) {
      unknown("spark.tollgate.quota.check needs spark.tollgate.project");
      return;
    }
    if (door == null) {
      unknown("spark.tollgate.quota.check needs spark.tollgate.url");
      return;
    }
    byte[] body = Json.write(question()).getBytes(StandardCharsets.UTF_8);
    Answer answer =
        door.post("/v1/quota-checks", body, "application/json", config.quotaTimeoutMs);
    if (!answer.isGood()) {
      unknown("no answer to the quota check (" + answer.problem + ")");
      return;
    }
    Object allowed = answer.body.get("allowed");
    String why = answer.body.get("reason") + ": " + answer.body.get("message");
    if (Boolean.TRUE.equals(allowed)) {
      notices.say("project " + config.project + " may start (" + Tags.cut(why, 300) + ")");
    } else if (Boolean.FALSE.equals(allowed)) {
      deny("project " + config.project + " may not start this application (" + Tags.cut(why, 300) + ")");
    } else {
      unknown("the answer to the quota check says neither yes nor no");
    }
  }

  private void unknown(String why) {
    if (!config.failsOpen) deny(why + ", and spark.tollgate.quota.failMode is closed");
    notices.once(why + "; it starts all the same, as spark.tollgate.quota.failMode is open");
  }

  private static void deny(String why) {
    throw new QuotaDenied("Tollgate: " + why);
  }

  private Map<String, Object> question() {
    Map<String, Object> question = Json.object("project", config.project);
    if (!config.pool.isEmpty()) question.put("pool", config.pool);
    if (config.quotaDurationMs > 0) {
      question.put("durationMs", config.quotaDurationMs);
      question.put("resources", planned());
    }
    return question;
  }

  /** The driver and as many executors as are asked for at the start. */
  private Map<String, Object> planned() {
    ContainerSize size = new ContainerSize(config.spark);
    Resources driver = size.driver();
    long cores = number("spark.executor.cores", 1);
    Resources executor =
        size.executor(cores, number("spark.executor.resource.gpu.amount", 0), Collections.emptyMap());
    long count = executors(cores);
    return Json.object(
        "cores", (driver.millicores + count * executor.millicores) / 1000.0,
        "memoryMib", driver.memoryMib + count * executor.memoryMib,
        "gpus", driver.gpus + count * executor.gpus);
  }

  private long executors(long cores) {
    if (new ContainerSize(config.spark).isLocal()) return 0;
    long most = number("spark.cores.max", 0) / Math.max(1, cores);
    long asked = Math.max(number("spark.executor.instances", 0), number("spark.dynamicAllocation.minExecutors", 0));
    return Math.max(1, asked > 0 ? asked : most);
  }

  private long number(String key, long otherwise) {
    String written = config.spark.get(key);
    return written != null && written.matches("\\d{1,9}") ? Long.parseLong(written) : otherwise;
  }
}
