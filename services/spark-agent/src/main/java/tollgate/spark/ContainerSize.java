package tollgate.spark;

import java.util.Map;

/**
 * How much a container holds, from the configuration that Spark itself asks its manager with: heap,
 * overhead, off-heap and Python's memory. Source: apache/spark core/…/resource/ResourceProfile.scala,
 * getResourcesForClusterManager and calculateOverHeadMemory.
 */
final class ContainerSize {
  private static final long MIB = 1024 * 1024;
  private static final long MINIMUM_OVERHEAD_MIB = 384;
  private static final double FACTOR = 0.1;

  private final Map<String, String> configuration;
  private final boolean isLocal;
  private final boolean heapOnly;

  ContainerSize(Map<String, String> configuration) {
    this.configuration = configuration;
    String master = text("spark.master");
    isLocal = master.startsWith("local");
    heapOnly = isLocal || master.startsWith("spark://");
  }

  /** In local mode the driver is the only executor, and is counted as that. */
  boolean isLocal() {
    return isLocal;
  }

  boolean isYarn() {
    return text("spark.master").startsWith("yarn");
  }

  boolean isClusterMode() {
    return text("spark.submit.deployMode").equals("cluster");
  }

  /** @param asked amounts of the executor's resource profile in MiB: memory, memoryOverhead … */
  Resources executor(double cores, long gpus, Map<String, Long> asked) {
    return new Resources(Math.round(cores * 1000), executorMib(asked), gpus);
  }

  private long executorMib(Map<String, Long> asked) {
    if (isLocal) return driverMib();
    Long profile = asked.get("memory");
    long heap = profile != null ? profile : mib("spark.executor.memory", 1024);
    if (heapOnly) return heap;
    Long overhead = asked.get("memoryOverhead");
    Long offHeap = asked.get("offHeap");
    return heap
        + (overhead != null ? overhead : overheadMib("executor", heap))
        + (offHeap != null ? offHeap : offHeapMib())
        + pythonMib(asked.get("pyspark.memory"));
  }

  private long offHeapMib() {
    if (!text("spark.memory.offHeap.enabled").equals("true")) return 0;
    return Math.max(0, Sizes.bytes(text("spark.memory.offHeap.size"), "b")) / MIB;
  }

  private long pythonMib(Long asked) {
    boolean isPython =
        text("spark.yarn.isPython").equals("true")
            || text("spark.kubernetes.resource.type").equals("python");
    if (!isPython) return 0;
    return asked != null ? asked : mib("spark.executor.pyspark.memory", 0);
  }

  Resources driver() {
    long gpus = isClusterMode() ? (long) number("spark.driver.resource.gpu.amount", 0) : 0;
    return new Resources(Math.round(number("spark.driver.cores", 1) * 1000), driverMib(), gpus);
  }

  /** In client mode no manager grants the driver anything: its heap is all that is known of it. */
  private long driverMib() {
    long heap = mib("spark.driver.memory", 1024);
    return heapOnly || !isClusterMode() ? heap : heap + overheadMib("driver", heap);
  }

  /** YARN's application master in client mode. */
  Resources applicationMaster() {
    long heap = mib("spark.yarn.am.memory", 512);
    long minimum = Math.max((long) (FACTOR * heap), MINIMUM_OVERHEAD_MIB);
    long overhead = mib("spark.yarn.am.memoryOverhead", minimum);
    return new Resources(Math.round(number("spark.yarn.am.cores", 1) * 1000), heap + overhead, 0);
  }

  /** @param role `executor` or `driver` */
  private long overheadMib(String role, long heap) {
    String option = "spark." + role + ".memoryOverhead";
    double kubernetes = number("spark.kubernetes.memoryOverheadFactor", FACTOR);
    double factor = number(option + "Factor", kubernetes);
    long minimum = mib("spark." + role + ".minMemoryOverhead", MINIMUM_OVERHEAD_MIB);
    long older = mib("spark.yarn." + role + ".memoryOverhead", -1);
    long explicit = mib(option, older);
    return explicit >= 0 ? explicit : Math.max((long) (factor * heap), minimum);
  }

  private String text(String key) {
    String value = configuration.get(key);
    return value == null ? "" : value;
  }

  private long mib(String key, long otherwise) {
    long bytes = Sizes.bytes(configuration.get(key), "m");
    return bytes < 0 ? otherwise : bytes / MIB;
  }

  private double number(String key, double otherwise) {
    try {
      double value = Double.parseDouble(text(key));
      return value >= 0 && !Double.isInfinite(value) ? value : otherwise;
    } catch (NumberFormatException none) {
      return otherwise;
    }
  }
}
