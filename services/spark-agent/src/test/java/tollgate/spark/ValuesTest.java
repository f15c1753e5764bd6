package tollgate.spark;

import static tollgate.spark.AgentTest.conf;
import static tollgate.spark.AgentTest.isTrue;
import static tollgate.spark.AgentTest.same;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Text, sizes, configuration: what needs no network. */
final class ValuesTest {
  void testJsonComesBackAsItWent() {
    String odd = "q\" b\\ \n \u0001 \u00e9 \ud83d\ude00";
    Map<String, Object> object = Json.object("a", odd, "b", Arrays.asList(1, true, null), "c", null);
    String text = Json.write(object);
    Map<?, ?> back = (Map<?, ?>) Json.parse(text);
    same(back.get("a"), odd);
    same(back.get("b"), Arrays.asList(1.0, true, null));
    isTrue(!back.containsKey("c"), "what is unknown is left out");
    isTrue(text.chars().allMatch(c -> c >= 0x20 && !Character.isSurrogate((char) c)), "one line, whole characters");
    same(Json.write(Json.object("x", Double.NaN)), "{\"x\":null}");
  }

  void testBrokenJsonIsRefused() {
    for (String bad : Arrays.asList("", "{", "[1,", "{\"a\"}", "tru", "\"x", "1 2", "{\"a\":1,}", "<html>", "--")) {
      try {
        Json.parse(bad);
      } catch (IllegalArgumentException refused) {
        continue;
      }
      throw new AssertionError("taken: " + bad);
    }
    StringBuilder deep = new StringBuilder();
    for (int i = 0; i < 10_000; i++) deep.append('[');
    try {
      Json.parse(deep.toString());
      throw new AssertionError("endless nesting is taken");
    } catch (IllegalArgumentException refused) {
      isTrue(true, "");
    }
  }

  void testSizesAndTimes() {
    same(Sizes.bytes("2g", "b"), 2L << 30);
    same(Sizes.bytes("512", "m"), 512L << 20);
    same(Sizes.bytes("1KB", "b"), 1024L);
    same(Sizes.bytes("1.5g", "b"), -1L);
    same(Sizes.bytes("999999999999999p", "b"), -1L);
    same(Sizes.millis("500ms"), 500L);
    same(Sizes.millis("30"), 30_000L);
    same(Sizes.millis("2min"), 120_000L);
    same(Sizes.millis("soon"), -1L);
  }

  void testAnExecutorLetGoOnStandaloneEndedBeforeTheDriversWait() {
    String killed = "Executor killed by driver.";
    String delay = "spark.standalone.executorRemoveDelayOnDisconnection";
    RemovalTime standalone = new RemovalTime(conf("spark.master", "spark://m:7077"));
    same(standalone.time(100_000, killed), 95_000L);
    same(standalone.time(100_000, "Remote RPC client disassociated. Likely"), 95_000L);
    same(standalone.time(100_000, "Command exited with code 137"), 100_000L);
    same(standalone.time(100_000, null), 100_000L);
    RemovalTime quick = new RemovalTime(conf("spark.master", "spark://m:7077", delay, "200ms"));
    same(quick.time(100_000, killed), 99_800L);
    same(new RemovalTime(conf("spark.master", "yarn")).time(100_000, killed), 100_000L);
    same(new RemovalTime(conf()).time(100_000, killed), 100_000L);
  }

  private static long executorMib(String... pairs) {
    return new ContainerSize(conf(pairs)).executor(1, 0, Collections.emptyMap()).memoryMib;
  }

  void testAContainerIsWhatItsManagerGrants() {
    same(executorMib("spark.master", "spark://m:7077", "spark.executor.memory", "512m"), 512L);
    same(executorMib("spark.master", "yarn", "spark.executor.memory", "600m"), 984L);
    same(executorMib("spark.master", "yarn", "spark.executor.memory", "10g"), 11264L);
    same(executorMib("spark.master", "k8s://x", "spark.executor.memory", "10g", "spark.kubernetes.memoryOverheadFactor", "0.4"), 14336L);
    same(executorMib("spark.master", "yarn", "spark.executor.memoryOverhead", "1g"), 2048L);
    same(
        executorMib("spark.master", "yarn", "spark.memory.offHeap.enabled", "true", "spark.memory.offHeap.size", "1g"),
        1024L + 384 + 1024);
    same(
        executorMib("spark.master", "yarn", "spark.yarn.isPython", "true", "spark.executor.pyspark.memory", "256m"),
        1024L + 384 + 256);
    same(executorMib("spark.master", "local[2]", "spark.driver.memory", "700m"), 700L);
  }

  void testAResourceProfileGoesBeforeTheConfiguration() {
    Map<String, Long> asked = Collections.singletonMap("memory", 4096L);
    Resources resources = new ContainerSize(conf("spark.master", "yarn")).executor(4, 2, asked);
    same(Json.write(resources.toJson()), "{\"millicores\":4000,\"memoryMib\":4505,\"gpus\":2}");
  }

  void testADriverIsAContainerInClusterModeOnly() {
    String[] client = {"spark.master", "yarn", "spark.driver.memory", "2g"};
    same(new ContainerSize(conf(client)).driver().memoryMib, 2048L);
    String[] cluster = {
      "spark.master", "yarn", "spark.driver.memory", "2g", "spark.submit.deployMode", "cluster", "spark.driver.cores", "2"
    };
    same(new ContainerSize(conf(cluster)).driver().memoryMib, 2048L + 384);
    same(new ContainerSize(conf(cluster)).driver().millicores, 2000L);
    same(new ContainerSize(conf(client)).applicationMaster().memoryMib, 512L + 384);
  }

  void testTagsOfAllSources() {
    Map<String, String> tags =
        Tags.of(
            conf(
                "spark.yarn.tags", "team:pay,word,env=test",
                "spark.kubernetes.driver.label.app", "x",
                "spark.databricks.clusterUsageTags.clusterAllTags", "[{\"key\":\"Vendor\",\"value\":\"Databricks\"},{}]",
                "spark.tollgate.tag.team", "own",
                "spark.tollgate.tag.__proto__", "no"));
    same(tags.toString(), "{team=own, env=test, app=x, Vendor=Databricks}");
    same(Tags.of(conf("spark.databricks.clusterUsageTags.clusterAllTags", "[{\"key\":\"Ve")).size(), 0);
  }

  void testConfigurationThatIsWrongIsToldAndReplaced() {
    AgentConfig config =
        new AgentConfig(
            conf(
                "spark.tollgate.url", "http://user:geheim@host/",
                "spark.tollgate.heartbeat", "never",
                "spark.tollgate.quota.failMode", "maybe",
                "spark.tollgate.queue.bytes", "1"));
    isTrue(!config.isOn(), "an address with a password is no address");
    same(config.heartbeatMs, 10_000L);
    isTrue(config.failsOpen, "open");
    same(config.problems.size(), 4);
    isTrue(!config.problems.toString().contains("geheim"), "no secret is told");
    isTrue(!new AgentConfig(conf()).isOn(), "without an address the agent is off");
  }

  void testOnlyNamedPropertiesAreTold() {
    AgentConfig config =
        new AgentConfig(
            conf(
                "spark.master", "yarn",
                "spark.hadoop.fs.s3a.secret.key", "geheim",
                "spark.custom.team", "pay",
                "spark.tollgate.project", "etl",
                "spark.tollgate.token.file", "/etc/x",
                "spark.tollgate.attribution", "spark.custom.team,spark.hadoop.fs.s3a.secret.key"));
    same(
        config.told().keySet().toString(),
        "[spark.master, spark.custom.team, spark.tollgate.project, spark.tollgate.attribution]");
  }

  void testAQueueIsBoundedAndCountsWhatItDrops() {
    LineQueue queue = new LineQueue(1_000);
    for (int i = 0; i < 100; i++) queue.offer("line " + i);
    isTrue(queue.bytes() <= 1_000, "bounded");
    List<String> first = queue.peek(1);
    same(first, Collections.singletonList("line 0"));
    int held = queue.peek(1_000_000).size();
    same(queue.dropped(), 100L - held);
    queue.remove(held);
    same(queue.bytes(), 0L);
    isTrue(queue.offer("again"), "room again");
  }

  void testAProblemIsOneLineHoweverOftenItIsTried() {
    List<String> said = new ArrayList<>();
    Notices notices = new Notices(said::add, text -> said.add("info " + text));
    for (int i = 0; i < 5; i++) {
      notices.problem("containers", "nobody answers (try " + i + ")");
      notices.problem("progress", "nobody answers (try " + i + ")");
    }
    notices.works("containers");
    notices.works("progress");
    notices.works("progress");
    notices.problem("progress", "the token is refused");
    notices.once("odd");
    notices.once("odd");
    same(
        said.toString(),
        "[Tollgate: nobody answers (try 0), info Tollgate: sending works again, Tollgate: the token is refused,"
            + " Tollgate: odd]");
  }
}
