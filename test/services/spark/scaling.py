"""Two bursts of work with a pause between, for dynamic allocation to grow and to shrink.

Prints `APPLICATION <id>`, `RESULT <sum>` and, after the pause, `RELEASED`.
"""

import sys
import time

from pyspark.sql import SparkSession


def executors(context):
    # The driver is in the list too.
    return len(context._jsc.sc().statusTracker().getExecutorInfos()) - 1


def wait_until(done, what):
    until = time.time() + 240
    while not done():
        if time.time() > until:
            raise RuntimeError(f"{what}: not within 240 s")
        time.sleep(0.1)


def burst(context, tasks):
    def work(value):
        time.sleep(0.5)
        return value % 3, value

    # A shuffle, whose files dynamic allocation tracks.
    pairs = context.parallelize(range(tasks), tasks).map(work)
    return sum(value for _, value in pairs.reduceByKey(lambda a, b: a + b, 2).collect())


def main():
    spark = SparkSession.builder.appName("orders nightly").getOrCreate()
    context = spark.sparkContext
    print("APPLICATION", context.applicationId, flush=True)
    total = burst(context, 16)
    wait_until(lambda: executors(context) == 0, "every executor is released")
    print("RELEASED", flush=True)
    print("RESULT", total + burst(context, 4))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
