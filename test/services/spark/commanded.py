"""Does what the test tells it, one command after another, in one JVM: jobs of many small tasks,
which Spark logs at length (four lines a task), and log lines of its own.

A command is a file `<number>` in the folder that the only argument names: `job <tasks>`, `mark`,
`fill <lines>` or `end`. Its log begins with the line `COMMAND <number>`, and once it is done there is
a file `<number>.done` that holds the seconds it took.
"""

import os
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

# Far above what a command waits for; an orphan ends by it.
IDLE_S = 120
LONG_LINE = "0123456789" * 6_000


def commands(folder):
    number, until = 1, time.time() + IDLE_S
    while True:
        path = os.path.join(folder, str(number))
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                yield number, file.read().split()
            number, until = number + 1, time.time() + IDLE_S
        if time.time() > until:
            raise RuntimeError(f"no command {number} in {IDLE_S} s")
        time.sleep(0.01)


def job(spark, tasks):
    total = spark.range(0, tasks, 1, tasks).agg(F.sum("id")).first()[0]
    if total != tasks * (tasks - 1) // 2:
        raise RuntimeError(f"the job's result is {total}")


def main(folder):
    spark = SparkSession.builder.appName("commanded").getOrCreate()
    log = spark.sparkContext._jvm.org.slf4j.LoggerFactory.getLogger("Commanded")
    for number, (name, *arguments) in commands(folder):
        if name == "mark":
            # Threads of Spark may still have a word about the job before.
            time.sleep(0.5)
        log.info(f"COMMAND {number}")
        began = time.perf_counter()
        if name == "job":
            job(spark, int(arguments[0]))
        if name == "fill":
            for _ in range(int(arguments[0])):
                log.info(LONG_LINE)
        path = os.path.join(folder, f"{number}.done")
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            file.write(str(time.perf_counter() - began))
        os.rename(f"{path}.part", path)
        if name == "end":
            break
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
