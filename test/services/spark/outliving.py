"""Small jobs until one fails, as when a manager ends the application; then the driver lives on.

Writes the application's id to `ready-<id>` once it is at work and to `failed-<id>` once a job
failed; ends when there is a file `stop`. Arguments: the folder, and `leave` to end by the failure,
as what its cluster supervises does.
"""

import os
import sys
import time

from pyspark.sql import SparkSession


def write(folder, name, text):
    with open(f"{folder}/{name}.part", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(f"{folder}/{name}.part", f"{folder}/{name}")


def main(folder, leave):
    spark = SparkSession.builder.getOrCreate()
    application = spark.sparkContext.applicationId
    spark.range(0, 10, 1, 1).count()
    write(folder, f"ready-{application}", application)
    try:
        while not os.path.exists(f"{folder}/stop"):
            spark.range(0, 10, 1, 1).count()
            time.sleep(0.3)
    except Exception:
        write(folder, f"failed-{application}", application)
        if leave:
            raise
        while not os.path.exists(f"{folder}/stop"):
            time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] == ["leave"])
