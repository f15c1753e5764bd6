"""Tells Tollgate what streaming queries report, for drivers without the agent's jar.

    from tollgate_progress import TollgateProgress
    spark.streams.addListener(TollgateProgress(spark, "https://tollgate.example:8470"))

Nothing here raises into the application or makes a query wait: lines go into a bounded queue, and
a daemon thread sends them. What doesn't fit is dropped and counted in `dropped`. What is sent twice
is stored once. For the classic PySpark, not for Spark Connect.
"""

import atexit
import json
import logging
import random
import threading
import urllib.error
import urllib.request
from collections import deque

from pyspark.sql.streaming import StreamingQueryListener

LOG = logging.getLogger("tollgate.progress")
QUEUE_BYTES = 8 * 1024 * 1024
BATCH_BYTES = 512 * 1024
TIMEOUT_S = 10
LONGEST_PAUSE_S = 60
AT_END_S = 2
# Another attempt with the same lines would be answered the same.
REFUSED = (400, 413, 415, 422)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to where it leads."""

    def redirect_request(self, *_):
        return None


class TollgateProgress(StreamingQueryListener):
    def __init__(self, spark, url, project=None, token_file="/etc/tollgate/token"):
        """`token_file` is read for each request; a missing one means no token."""
        self.dropped = 0
        self._url = url.rstrip("/") + "/v1/ingest/progress"
        self._token_file = token_file
        self._origin = {"application": spark.conf.get("spark.app.id")}
        if project is not None:
            self._origin["project"] = project
        self._open = urllib.request.build_opener(_NoRedirect).open
        self._lines = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._ending = False
        self._problem = None
        self._thread = threading.Thread(target=self._run, name="tollgate-progress", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def onQueryStarted(self, event):
        self._offer(
            lambda: self._event("started", event, name=event.name, timestamp=event.timestamp)
        )

    def onQueryProgress(self, event):
        self._offer(lambda: {"progress": json.loads(event.progress.json)})

    def onQueryIdle(self, event):
        self._offer(lambda: self._event("idle", event, timestamp=event.timestamp))

    def onQueryTerminated(self, event):
        self._offer(lambda: self._event("terminated", event, exception=event.exception))

    def close(self):
        """Waits a little for what is queued; called at the interpreter's exit."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join(AT_END_S)

    @staticmethod
    def _event(kind, event, **more):
        return {"kind": kind, "id": str(event.id), "runId": str(event.runId), **more}

    def _offer(self, read):
        try:
            line = json.dumps({**self._origin, **read()}).encode() + b"\n"
            with self._changed:
                if self._ending or self._bytes + len(line) > QUEUE_BYTES:
                    self.dropped += 1
                    return
                self._lines.append(line)
                self._bytes += len(line)
                self._changed.notify_all()
        except Exception as error:
            self.dropped += 1
            self._say(f"an event of Spark could not be read: {error}")

    def _run(self):
        pause = 0
        while True:
            with self._changed:
                # Between attempts only the end is worth waking up for.
                if pause > 0:
                    self._changed.wait_for(lambda: self._ending, pause * random.uniform(0.5, 1))
                self._changed.wait_for(lambda: self._lines or self._ending)
                if not self._lines or (self._ending and pause > 0):
                    return
                count, size = 0, 0
                for line in self._lines:
                    if count > 0 and size + len(line) > BATCH_BYTES:
                        break
                    count, size = count + 1, size + len(line)
                body = b"".join(self._lines[i] for i in range(count))
            if not self._send(body):
                pause = min(LONGEST_PAUSE_S, pause * 2 or 0.5)
                continue
            pause = 0
            with self._changed:
                for _ in range(count):
                    self._bytes -= len(self._lines.popleft())

    def _send(self, body):
        """True when Tollgate has it, or will never take it."""
        try:
            headers = {"content-type": "application/x-ndjson"}
            token = self._token()
            if token:
                headers["authorization"] = f"Bearer {token}"
            request = urllib.request.Request(self._url, body, headers)
            with self._open(request, timeout=TIMEOUT_S) as answer:
                answer.read(65_536)
            self._say(None)
            return True
        except urllib.error.HTTPError as error:
            with error:
                self._say(f"Tollgate answers {error.code}")
                if error.code not in REFUSED:
                    return False
            self.dropped += body.count(b"\n")
            return True
        except Exception as error:
            self._say(f"nothing could be sent: {getattr(error, 'reason', error)}")
            return False

    def _token(self):
        try:
            with open(self._token_file, encoding="utf-8") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def _say(self, problem):
        """One line for each change, not one for each attempt."""
        if problem == self._problem:
            return
        if problem is None:
            LOG.warning("Tollgate is reached again")
        else:
            LOG.warning("%s; lines wait, %d were dropped so far", problem, self.dropped)
        self._problem = problem
