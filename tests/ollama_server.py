"""A stand-in for Ollama: a real HTTP server that replays recorded answers byte by byte.

It generates nothing and checks nothing; what it received is kept in `requests`, so that a test can
look at what went over the wire.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WIRE = Path(__file__).parent / "data" / "ollama_wire"


@dataclass(frozen=True)
class Recording:
    """One answer. ``wait`` seconds pass before it, ``pace`` between its lines; ``cut`` closes the
    connection where the body's end should be."""

    status: int
    content_type: str
    lines: tuple[str, ...]
    chunked: bool = False
    wait: float = 0.0
    pace: float = 0.0
    cut: bool = False


def recorded(name: str, **changes: Any) -> Recording:
    """A recording of tests/data/ollama_wire, optionally changed."""
    text = (WIRE / f"{name}.txt").read_text("utf-8")
    wire = "\n".join(line for line in text.splitlines() if not line.startswith("### "))
    head, body = wire.split("\n\n", 1)
    status, *headers = head.splitlines()
    fields = {key.lower(): value for key, value in (line.split(": ", 1) for line in headers)}
    recording = Recording(
        status=int(status.split()[1]),
        content_type=fields["content-type"],
        lines=tuple(line for line in body.splitlines() if line),
        chunked="transfer-encoding" in fields,
    )
    return replace(recording, **changes)


def chat(*messages: Mapping[str, str], done: Mapping[str, Any] | None = None) -> Recording:
    """A chat stream in the recorded shape; ``done`` is added to its last line."""
    stamp = {"model": "gemma3-270m", "created_at": "2026-11-23T06:46:25.53638568Z"}
    lines = [
        {**stamp, "message": {"role": "assistant", "content": "", **message}, "done": False}
        for message in messages
    ]
    end = {
        "done": True,
        "done_reason": "stop",
        "total_duration": 1060132712,
        "load_duration": 1070911,
        "prompt_eval_count": 4000,
        "prompt_eval_duration": 382258000,
        "eval_count": 24,
        "eval_duration": 667628000,
    }
    lines.append({**stamp, "message": {"role": "assistant", "content": ""}, **end, **(done or {})})
    return Recording(
        200, "application/x-ndjson", tuple(json.dumps(line) for line in lines), chunked=True
    )


@dataclass
class RecordedServer:
    """``answers`` by path, to be changed at will; ``hung_up`` is set when a client leaves early."""

    answers: dict[str, Recording]
    url: str = ""
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [body for requested, body in self.requests if requested == path]


@contextmanager
def recorded_server(**answers: Recording) -> Iterator[RecordedServer]:
    """Serve on a free loopback port; ``answers`` by the last part of their path (``chat=…``)."""
    defaults = {"version": "version", "tags": "tags", "show": "show", "chat": "chat_stream"}
    server = RecordedServer({f"/api/{path}": recorded(name) for path, name in defaults.items()})
    server.answers |= {f"/api/{path}": recording for path, recording in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            self._answer(json.loads(self.rfile.read(size)))

        def _answer(self, body: dict[str, Any]) -> None:
            server.requests.append((self.path, body))
            answer = server.answers[self.path]
            time.sleep(answer.wait)
            try:
                self._replay(answer)
            except (BrokenPipeError, ConnectionResetError):
                server.hung_up.set()
                self.close_connection = True

        def _replay(self, answer: Recording) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            if not answer.chunked:
                content = "\n".join(answer.lines).encode()
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in answer.lines:
                content = f"{line}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
                time.sleep(answer.pace)
            if answer.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *arguments: Any) -> None:
            """Keep the test output quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
