"""A short job of many small tasks in the JVM alone, which Spark logs at length: four lines a task.

Prints its result and its time. Arguments: the number of tasks.
"""

import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def main(tasks):
    spark = SparkSession.builder.appName("talking").getOrCreate()
    numbers = spark.range(0, tasks, 1, tasks)
    began = time.perf_counter()
    print("RESULT", numbers.agg(F.sum("id")).first()[0])
    print("SECONDS", time.perf_counter() - began)
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
