"""Short tasks without end, timed: what an agent in the driver costs shows in their sum.

Arguments: tasks of the warm-up, tasks that are timed. Prints one JSON line.
"""

import json
import sys
import time

from pyspark.sql import SparkSession

STAGE = 10_000


def run_tasks(spark, count):
    """Each task counts one row; a stage has at most STAGE of them, as one job."""
    for done in range(0, count, STAGE):
        tasks = min(STAGE, count - done)
        counted = spark.sparkContext._jsc.sc().range(0, tasks, 1, tasks).count()
        assert counted == tasks


def cpu_ms(jvm, name):
    """CPU of all threads whose name begins so, in ms."""
    beans = jvm.java.lang.management.ManagementFactory.getThreadMXBean()
    total = 0
    for thread in jvm.java.lang.Thread.getAllStackTraces().keySet():
        if thread.getName().startswith(name):
            total += beans.getThreadCpuTime(thread.getId())
    return total / 1e6


def process_cpu_ms(jvm):
    return jvm.java.lang.ProcessHandle.current().info().totalCpuDuration().get().toNanos() / 1e6


def heap_mb(jvm):
    """Heap that is still in use after a collection."""
    jvm.java.lang.System.gc()
    time.sleep(0.5)
    jvm.java.lang.System.gc()
    runtime = jvm.java.lang.Runtime.getRuntime()
    return (runtime.totalMemory() - runtime.freeMemory()) / 1e6


def main(warm, tasks):
    spark = SparkSession.builder.appName("overhead").getOrCreate()
    jvm = spark.sparkContext._jvm
    run_tasks(spark, warm)
    cpu = process_cpu_ms(jvm)
    agent = cpu_ms(jvm, "tollgate")
    begin = time.monotonic()
    run_tasks(spark, tasks)
    wall_ms = (time.monotonic() - begin) * 1000
    measured = {
        "wallMs": wall_ms,
        "cpuMs": process_cpu_ms(jvm) - cpu,
        "agentCpuMs": cpu_ms(jvm, "tollgate") - agent,
        "heapMb": heap_mb(jvm),
    }
    print("MEASURED", json.dumps(measured), flush=True)
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
