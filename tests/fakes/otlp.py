"""An OTLP/HTTP receiver that really runs: it parses what it is sent with OpenTelemetry's own protobuf."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

KINDS = {
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
}


class Receiver(ThreadingHTTPServer):
    """``metrics`` and ``spans`` are what came."""

    def __init__(self):
        self.requests = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def metrics(self):
        """Of the last message, by name."""
        last = next(one for one in reversed(self.requests) if isinstance(one, ExportMetricsServiceRequest))
        return {m.name: m for r in last.resource_metrics for s in r.scope_metrics for m in s.metrics}

    @property
    def spans(self):
        """All of them, in order."""
        told = (one for one in self.requests if isinstance(one, ExportTraceServiceRequest))
        return [span for one in told for r in one.resource_spans for s in r.scope_spans for span in s.spans]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked, answer = KINDS[self.path]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        message = asked()
        message.ParseFromString(body)
        self.server.requests.append(message)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(answer().SerializeToString())

    def log_message(self, *_):
        pass


def words(attributes):
    """Attributes of OTLP as a dictionary."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
