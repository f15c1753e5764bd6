"""Two streaming queries whose progress goes where the first argument says.

`http://…` posts each record; `kafka://host:port/topic` produces it, key = run id; `none:` leaves it
to the agent. Every progress is printed too, as `PROGRESS <json>`, so that the test knows what Spark
itself said.
"""

import json
import sys
import threading
import time
import urllib.request
from urllib.parse import urlsplit

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQueryListener


class HttpSender:
    def __init__(self, url):
        self.url = url

    def send(self, key, record):
        body = json.dumps(record).encode()
        headers = {"content-type": "application/x-ndjson"}
        request = urllib.request.Request(self.url, body, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def close(self):
        pass


class KafkaSender:
    def __init__(self, broker, topic):
        from kafka import KafkaProducer

        self.topic = topic
        self.producer = KafkaProducer(bootstrap_servers=broker, acks="all")

    def send(self, key, record):
        body = json.dumps(record).encode()
        self.producer.send(self.topic, key=key.encode(), value=body).get(timeout=30)

    def close(self):
        self.producer.close()


class NoSender:
    def send(self, key, record):
        pass

    def close(self):
        pass


def open_sender(address):
    parts = urlsplit(address)
    if parts.scheme == "kafka":
        return KafkaSender(parts.netloc, parts.path.strip("/"))
    return NoSender() if parts.scheme == "none" else HttpSender(address)


class ProgressListener(StreamingQueryListener):
    """What a user's listener is: it sends `progress.json`, and says which application it was."""

    def __init__(self, sender, origin):
        self.sender = sender
        self.origin = origin
        self.batches = {}
        self.over = threading.Semaphore(0)

    def send(self, event_id, record):
        try:
            self.sender.send(event_id, {**self.origin, **record})
        except Exception as error:
            print("UNSENT", error, flush=True)

    def onQueryStarted(self, event):
        run = str(event.runId)
        started = {"kind": "started", "id": str(event.id), "runId": run, "name": event.name}
        self.send(run, {**started, "timestamp": event.timestamp})

    def onQueryProgress(self, event):
        text = event.progress.json
        print("PROGRESS", text, flush=True)
        run = str(event.progress.runId)
        self.batches[run] = event.progress.batchId
        self.send(run, {"progress": json.loads(text)})

    def onQueryIdle(self, event):
        run = str(event.runId)
        self.send(run, {"kind": "idle", "id": str(event.id), "runId": run, "timestamp": event.timestamp})

    def onQueryTerminated(self, event):
        run = str(event.runId)
        print("TERMINATED", run, flush=True)
        self.send(run, {"kind": "terminated", "id": str(event.id), "runId": run})
        self.over.release()


def start_queries(spark, folder):
    """One with state and a watermark into nothing, one that writes by foreachBatch."""
    ticks = spark.readStream.format("rate").option("rowsPerSecond", 40).load()
    windows = (
        ticks.withWatermark("timestamp", "5 seconds")
        .groupBy(F.window("timestamp", "2 seconds"), (F.col("value") % 7).alias("shop"))
        .count()
    )
    stateful = (
        windows.writeStream.queryName("orders per shop")
        .outputMode("update")
        .format("noop")
        .option("checkpointLocation", f"{folder}/windows")
        .trigger(processingTime="1 second")
        .start()
    )
    pages = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 250).load()
    plain = (
        pages.writeStream.foreachBatch(lambda frame, batch: frame.count() and None)
        .option("checkpointLocation", f"{folder}/pages")
        .trigger(processingTime="700 milliseconds")
        .start()
    )
    return [stateful, plain]


def main(address, folder, batches):
    spark = SparkSession.builder.appName("orders stream").getOrCreate()
    application = spark.sparkContext.applicationId
    print("APPLICATION", application, flush=True)
    sender = open_sender(address)
    project = spark.conf.get("spark.tollgate.project")
    listener = ProgressListener(sender, {"application": application, "project": project})
    spark.streams.addListener(listener)
    queries = start_queries(spark, folder)
    until = time.time() + 240
    while any(listener.batches.get(str(query.runId), -1) < batches for query in queries):
        failed = [query.exception() for query in queries if query.exception() is not None]
        if failed or time.time() > until:
            raise RuntimeError(f"no {batches} batches in 240 s: {failed}")
        time.sleep(0.1)
    for query in queries:
        query.stop()
    for _ in queries:
        listener.over.acquire(timeout=20)
    sender.close()
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
