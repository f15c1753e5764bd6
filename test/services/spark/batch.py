"""A nightly job: aggregates, one stage that fails, one executor released early.

Prints what Spark itself says, for the test to compare: `APPLICATION <id>`, `RESULT <sum>`.
"""

import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def wait_for_executors(context, count):
    tracker = context._jsc.sc().statusTracker()
    until = time.time() + 240
    # The driver is in the list too.
    while len(tracker.getExecutorInfos()) < count + 1:
        if time.time() > until:
            raise RuntimeError(f"fewer than {count} executors in 240 s")
        time.sleep(0.1)


def fail(context):
    """An exception with a Python traceback in a Java stack trace, in every log."""
    try:
        context.parallelize(range(4), 2).map(lambda x: 1 // x).collect()
    except Exception as error:
        print("FAILED", type(error).__name__)


def main(rows, executors):
    spark = SparkSession.builder.appName("orders nightly").getOrCreate()
    context = spark.sparkContext
    print("APPLICATION", context.applicationId)
    wait_for_executors(context, executors)
    orders = spark.range(0, rows, 1, 2)
    print("RESULT", orders.agg(F.sum("id")).first()[0])
    fail(context)
    # Released by its own application, as dynamic allocation does it.
    context._jsc.sc().killExecutor("0")
    print("COUNT", orders.count())
    # One more report of the metrics' sink, and a life of the other executor that differs.
    time.sleep(2)
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
