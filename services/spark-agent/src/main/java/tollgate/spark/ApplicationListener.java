package tollgate.spark;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkContext;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerApplicationStart;
import org.apache.spark.scheduler.SparkListenerBlockManagerAdded;
import org.apache.spark.scheduler.SparkListenerBlockManagerRemoved;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerExecutorAdded;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerMiscellaneousProcessAdded;
import org.apache.spark.scheduler.SparkListenerResourceProfileAdded;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.StageInfo;
import org.apache.spark.scheduler.cluster.ExecutorInfo;

/**
 * What Spark tells, in the words of ContainerFacts. Runs in Spark's listener thread: it takes what
 * an event says and hands it on. No event of a task is listened to, so a job of a hundred thousand
 * tasks costs no more than one of ten; a stage's sums come with its end.
 */
final class ApplicationListener extends SparkListener {
  private static final Pattern YARN_CONTAINER =
      Pattern.compile("container_(?:e\\d{1,9}_)?\\d{1,20}_\\d{1,9}_\\d{1,9}_\\d{1,12}");

  private final SparkContext context;
  private final ContainerSize size;
  private final RemovalTime removal;
  private final ContainerFacts facts;
  private final ActivityTotals totals;
  private final StorageMemory storage;
  private final Map<Integer, Map<String, Long>> profiles = new ConcurrentHashMap<>();

  ApplicationListener(
      SparkContext context,
      AgentConfig config,
      ContainerFacts facts,
      ActivityTotals totals,
      StorageMemory storage) {
    this.context = context;
    this.facts = facts;
    this.totals = totals;
    this.storage = storage;
    size = new ContainerSize(config.spark);
    removal = new RemovalTime(config.spark);
  }

  @Override
  public void onApplicationStart(SparkListenerApplicationStart event) {
    quietly(
        () -> {
          Map<String, Object> attributes = ScalaValues.map(event.driverAttributes());
          ContainerFacts.Start start = new ContainerFacts.Start();
          String id = ScalaValues.text(event.appId());
          start.application = id.isEmpty() ? context.applicationId() : id;
          start.attempt = ScalaValues.text(event.appAttemptId());
          start.name = event.appName();
          start.user = event.sparkUser();
          start.url = ScalaValues.text(context.uiWebUrl());
          start.at = event.time();
          start.driverContainer = yarnContainer(attributes, ScalaValues.map(event.driverLogs()));
          start.driverHost = String.valueOf(attributes.getOrDefault("NM_HOST", ""));
          facts.applicationStarted(start);
        });
  }

  @Override
  public void onApplicationEnd(SparkListenerApplicationEnd event) {
    quietly(() -> facts.applicationEnded(event.time()));
  }

  @Override
  public void onResourceProfileAdded(SparkListenerResourceProfileAdded event) {
    quietly(
        () -> {
          Map<String, Long> asked = new LinkedHashMap<>();
          Object requests = ScalaValues.call(event.resourceProfile(), "executorResources");
          for (Map.Entry<String, Object> entry : ScalaValues.map(requests).entrySet()) {
            Object amount = ScalaValues.call(entry.getValue(), "amount");
            if (amount instanceof Number) asked.put(entry.getKey(), ((Number) amount).longValue());
          }
          profiles.put(event.resourceProfile().id(), asked);
        });
  }

  @Override
  public void onExecutorAdded(SparkListenerExecutorAdded event) {
    quietly(
        () -> {
          ExecutorInfo info = event.executorInfo();
          Map<String, Long> asked =
              profiles.getOrDefault(info.resourceProfileId(), java.util.Collections.emptyMap());
          Object gpu = ScalaValues.map(ScalaValues.call(info, "resourcesInfo")).get("gpu");
          Object addresses = ScalaValues.call(gpu, "addresses");
          long gpus = addresses instanceof String[] ? ((String[]) addresses).length : 0;
          String container =
              yarnContainer(
                  ScalaValues.map(ScalaValues.call(info, "attributes")),
                  ScalaValues.map(ScalaValues.call(info, "logUrlMap")));
          Resources resources = size.executor(info.totalCores(), gpus, asked);
          facts.containerStarted(
              new ContainerFacts.Added(
                  event.executorId(), "executor", container, info.executorHost(), resources, event.time()));
        });
  }

  @Override
  public void onExecutorRemoved(SparkListenerExecutorRemoved event) {
    quietly(
        () -> {
          long endedAt = removal.time(event.time(), event.reason());
          facts.containerStopped(event.executorId(), endedAt, event.reason());
        });
  }

  @Override
  public void onBlockManagerAdded(SparkListenerBlockManagerAdded event) {
    quietly(
        () -> {
          long onHeap = bytes(event.maxOnHeapMem(), event.maxMem());
          long offHeap = bytes(event.maxOffHeapMem(), 0);
          storage.added(event.blockManagerId().executorId(), onHeap, offHeap, event.time());
        });
  }

  private static long bytes(Object option, long otherwise) {
    Object value = ScalaValues.unwrap(option);
    return value instanceof Number ? ((Number) value).longValue() : otherwise;
  }

  /** Its executor may live on: the master forgets a block manager that it hasn't heard of. */
  @Override
  public void onBlockManagerRemoved(SparkListenerBlockManagerRemoved event) {
    quietly(() -> storage.removed(event.blockManagerId().executorId(), event.time()));
  }

  /** An executor's heartbeat, each 10 s. */
  @Override
  public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate event) {
    quietly(() -> facts.heardOf(event.execId(), System.currentTimeMillis()));
  }

  /** YARN's application master in client mode; in cluster mode the driver lives in it. */
  @Override
  public void onOtherEvent(SparkListenerEvent other) {
    if (!(other instanceof SparkListenerMiscellaneousProcessAdded)) return;
    SparkListenerMiscellaneousProcessAdded event = (SparkListenerMiscellaneousProcessAdded) other;
    if (!event.processId().equals("yarn-am") || size.isClusterMode()) return;
    quietly(
        () -> {
          Map<String, Object> logs = ScalaValues.map(ScalaValues.call(event.info(), "logUrlInfo"));
          String container = yarnContainer(new LinkedHashMap<>(), logs);
          String host = event.info().hostPort().replaceAll(":\\d+$", "");
          String role = "application-master";
          Resources resources = size.applicationMaster();
          facts.containerStarted(
              new ContainerFacts.Added(role, role, container, host, resources, event.time()));
        });
  }

  @Override
  public void onJobStart(SparkListenerJobStart event) {
    totals.add("runningJobs", 1);
  }

  @Override
  public void onJobEnd(SparkListenerJobEnd event) {
    quietly(
        () -> {
          boolean isGood = event.jobResult().getClass().getName().contains("JobSucceeded");
          totals.add("runningJobs", -1);
          totals.add(isGood ? "succeededJobs" : "failedJobs", 1);
        });
  }

  @Override
  public void onStageSubmitted(SparkListenerStageSubmitted event) {
    totals.add("runningStages", 1);
  }

  @Override
  public void onStageCompleted(SparkListenerStageCompleted event) {
    quietly(
        () -> {
          StageInfo stage = event.stageInfo();
          boolean hasFailed = ScalaValues.unwrap(stage.failureReason()) != null;
          totals.add("runningStages", -1);
          totals.add(hasFailed ? "failedStages" : "succeededStages", 1);
          totals.add("tasks", stage.numTasks());
          TaskMetrics sums = stage.taskMetrics();
          if (sums == null) return;
          totals.add("runTimeMs", sums.executorRunTime());
          totals.add("cpuTimeMs", sums.executorCpuTime() / 1_000_000);
          totals.add("gcTimeMs", sums.jvmGCTime());
          totals.add("spilledBytes", sums.diskBytesSpilled());
          totals.add("readBytes", sums.inputMetrics().bytesRead());
          totals.add("writtenBytes", sums.outputMetrics().bytesWritten());
          totals.add("shuffleReadBytes", sums.shuffleReadMetrics().totalBytesRead());
          totals.add("shuffleWrittenBytes", sums.shuffleWriteMetrics().bytesWritten());
        });
  }

  private static String yarnContainer(Map<String, Object> attributes, Map<String, Object> logs) {
    Matcher named = YARN_CONTAINER.matcher(String.valueOf(attributes.getOrDefault("CONTAINER_ID", "")));
    if (named.find()) return named.group();
    for (Object url : logs.values()) {
      Matcher found = YARN_CONTAINER.matcher(String.valueOf(url));
      if (found.find()) return found.group();
    }
    return "";
  }

  private static void quietly(Runnable act) {
    DriverAgent.quietly(act);
  }
}
