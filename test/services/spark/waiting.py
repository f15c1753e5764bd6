"""Small jobs, one after the other, until a file `stop` appears in a folder.

Writes the application's id to `ready` once it has its executors. Arguments: the folder, the number
of executors.
"""

import os
import sys
import time

from batch import wait_for_executors
from pyspark.sql import SparkSession


def main(folder, executors):
    spark = SparkSession.builder.appName("orders hourly").getOrCreate()
    context = spark.sparkContext
    wait_for_executors(context, executors)
    with open(f"{folder}/ready.part", "w", encoding="utf-8") as file:
        file.write(context.applicationId)
    os.rename(f"{folder}/ready.part", f"{folder}/ready")
    while not os.path.exists(f"{folder}/stop"):
        spark.range(0, 1000, 1, 2).count()
        time.sleep(0.3)
    print("APPLICATION", context.applicationId, flush=True)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
