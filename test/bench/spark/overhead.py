"""Short tasks without end, timed: what an agent in the driver costs shows in their sum.

Arguments: tasks of the warm-up, tasks that are timed, and pairs of blocks: with more than none, each
pair is so many tasks with the agent's listeners taken off the bus and so many with them on it, in
one JVM, since two JVMs differ by more than what is looked for. Prints one JSON line.
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


def timed(spark, tasks):
    """Wall time of tasks, CPU of the process for them and of the thread with the listeners, in ms."""
    jvm = spark.sparkContext._jvm
    cpu, listeners = process_cpu_ms(jvm), cpu_ms(jvm, "spark-listener-group-appStatus")
    begin = time.monotonic()
    run_tasks(spark, tasks)
    return {
        "wallMs": (time.monotonic() - begin) * 1000,
        "cpuMs": process_cpu_ms(jvm) - cpu,
        "listenerCpuMs": cpu_ms(jvm, "spark-listener-group-appStatus") - listeners,
    }


def timed_pairs(spark, tasks, pairs):
    bus = spark.sparkContext._jsc.sc().listenerBus()
    own = [one for one in bus.listeners() if one.getClass().getName().startswith("tollgate.")]
    for pair in range(pairs):
        measured = {}
        for on in (pair % 2 == 0, pair % 2 != 0):
            for listener in own:
                if on:
                    bus.addToStatusQueue(listener)
                else:
                    bus.removeListener(listener)
            measured["on" if on else "off"] = timed(spark, tasks)
            for listener in own:
                bus.removeListener(listener)
        yield {**measured, "listeners": len(own)}
    for listener in own:
        bus.addToStatusQueue(listener)


def main(warm, tasks, pairs):
    spark = SparkSession.builder.appName("overhead").getOrCreate()
    jvm = spark.sparkContext._jvm
    run_tasks(spark, warm)
    if pairs > 0:
        for pair in timed_pairs(spark, tasks, pairs):
            print("PAIR", json.dumps(pair), flush=True)
    agent = cpu_ms(jvm, "tollgate")
    measured = {
        **timed(spark, tasks),
        "agentCpuMs": cpu_ms(jvm, "tollgate") - agent,
        "heapMb": heap_mb(jvm),
    }
    print("MEASURED", json.dumps(measured), flush=True)
    spark.stop()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
