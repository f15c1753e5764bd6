"""A short job; prints its result. Arguments: the number of tasks."""

import sys
import time

from pyspark.sql import SparkSession


def main(tasks):
    spark = SparkSession.builder.appName("counting").getOrCreate()
    context = spark.sparkContext
    print("APPLICATION", context.applicationId, flush=True)
    began = time.perf_counter()
    print("RESULT", sum(context.parallelize(range(tasks), tasks).collect()))
    print("SECONDS", time.perf_counter() - began)
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
