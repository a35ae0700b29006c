"""A server on this machine that answers what it is told to, and remembers what it was asked.

with Server() as server:
    server.pages["/metrics"] = Page("up 1\\n")
    fetch(f"{server.address}/metrics")
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Page:
    """What is answered; one that hangs says nothing until the server is closed."""

    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


def document(**fields: Any) -> Page:
    """A page of JSON."""
    return Page(json.dumps(fields), headers={"Content-Type": "application/json"})


class Local:
    """A server on a free port of this machine, from the beginning of a block to its end."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Any:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


class Server(Local):
    """``password`` lets in only who says ``admin`` and it; ``certificate`` makes it speak TLS."""

    def __init__(self, password: str = "", certificate: Path | None = None) -> None:
        super().__init__(_handler(self))
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.password = password
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.address = f"https://127.0.0.1:{self._server.server_port}"


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    from base64 import b64encode

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers)))
            page = server.pages.get(self.path, Page("<html>not here</html>", 404))
            wanted = f"Basic {b64encode(f'admin:{server.password}'.encode()).decode()}"
            if server.password and self.headers.get("Authorization") != wanted:
                page = Page("who are you?", 401)
            if page.hangs:
                server.closing.wait(20)
                return
            body = page.body.encode() if isinstance(page.body, str) else page.body
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:  # who asked had enough
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
