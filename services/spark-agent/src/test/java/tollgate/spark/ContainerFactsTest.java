package tollgate.spark;

import static tollgate.spark.AgentTest.conf;
import static tollgate.spark.AgentTest.same;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** From Spark's events to lines. */
final class ContainerFactsTest {
  private final List<String> lines = new ArrayList<>();

  private ContainerFacts facts(String... pairs) {
    lines.clear();
    return new ContainerFacts(new AgentConfig(conf(pairs)), lines::add);
  }

  private static ContainerFacts.Start start(String application) {
    ContainerFacts.Start start = new ContainerFacts.Start();
    start.application = application;
    start.at = 1_000;
    return start;
  }

  private static ContainerFacts.Added executor(String key, String container, long at) {
    return new ContainerFacts.Added(key, "executor", container, "h1", new Resources(1000, 512, 0), at);
  }

  /** `kind container at reason` of each line. */
  private List<String> told() {
    return lines.stream()
        .map(
            line -> {
              Map<?, ?> fact = (Map<?, ?>) Json.parse(line);
              long at = ((Number) fact.get("at")).longValue();
              Object reason = fact.get("reason");
              return fact.get("kind") + " " + fact.get("container") + " " + at + (reason == null ? "" : " " + reason);
            })
        .collect(Collectors.toList());
  }

  void testExecutorsThatComeBeforeTheApplicationWaitForItsName() {
    ContainerFacts facts = facts("spark.master", "spark://m:1");
    facts.containerStarted(executor("0", "", 900));
    facts.containerStopped("0", 950, "lost");
    same(lines.size(), 0);
    facts.applicationStarted(start("app-1"));
    same(
        told().toString(),
        "[application-seen null 1000, container-started app-1//driver 1000, container-started app-1//0 900,"
            + " container-stopped app-1//0 950 lost]");
  }

  void testTheEndEndsAllOnce() {
    ContainerFacts facts = facts("spark.master", "yarn");
    facts.applicationStarted(start("application_1_0001"));
    facts.containerStarted(executor("1", "container_1_0001_01_000002", 2_000));
    facts.containerStarted(executor("1", "", 2_500));
    facts.containerStopped("1", 3_000, "killed");
    facts.containerStopped("1", 3_001, "killed again");
    facts.containerStopped("9", 3_001, "never seen");
    facts.applicationEnded(4_000);
    facts.applicationEnded(5_000);
    facts.containerStarted(executor("2", "", 6_000));
    List<String> told = told();
    same(
        told.subList(2, told.size()).toString(),
        "[container-started container_1_0001_01_000002 2000, container-stopped container_1_0001_01_000002 3000 killed,"
            + " container-stopped application_1_0001//driver 4000 application ended, application-ended null 4000]");
  }

  void testInLocalModeTheDriverIsTheOnlyExecutor() {
    ContainerFacts facts = facts("spark.master", "local[2]");
    facts.applicationStarted(start("local-1"));
    facts.containerStarted(executor("driver", "", 1_100));
    facts.applicationEnded(2_000);
    same(
        told().subList(1, 3).toString(),
        "[container-started local-1//driver 1100, container-stopped local-1//driver 2000 application ended]");
  }

  void testTheDriverIsAliveNowAndExecutorsWhenTheyWereHeardOf() {
    ContainerFacts facts = facts("spark.master", "spark://m:1");
    facts.applicationStarted(start("app-1"));
    facts.containerStarted(executor("0", "", 2_000));
    facts.containerStarted(executor("1", "", 2_000));
    facts.heardOf("0", 7_000);
    facts.heardOf("0", 6_000);
    List<String> sights = facts.sights(9_000);
    String until =
        sights.stream()
            .map(line -> (Map<?, ?>) Json.parse(line))
            .map(sight -> sight.get("container") + " " + ((Number) sight.get("until")).longValue())
            .collect(Collectors.joining(", "));
    same(until, "app-1//driver 9000, app-1//0 7000, app-1//1 2000");
    facts.applicationEnded(9_500);
    same(facts.sights(10_000).size(), 0);
  }

  void testEveryIdBeginsWithItsApplication() {
    ContainerFacts facts = facts("spark.master", "spark://m:1", "spark.tollgate.project", "etl");
    facts.applicationStarted(start("app-1"));
    facts.containerStarted(executor("0", "", 2_000));
    facts.applicationEnded(3_000);
    for (String line : lines) {
      String id = String.valueOf(((Map<?, ?>) Json.parse(line)).get("id"));
      same(id.startsWith("app-1//"), true);
    }
    same(((Map<?, ?>) Json.parse(lines.get(0))).get("project"), "etl");
  }

  void testAStopBeforeTheStartIsNotBeforeIt() {
    ContainerFacts facts = facts("spark.master", "spark://m:1");
    facts.applicationStarted(start("app-1"));
    facts.containerStarted(executor("0", "", 2_000));
    facts.containerStopped("0", 1_500, "clocks");
    same(told().get(3), "container-stopped app-1//0 2000 clocks");
  }
}
