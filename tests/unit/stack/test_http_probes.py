"""HTTP probes: what counts as ready, and what one probe of a starting service costs."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fraudwatch.stack.probes import airflow_component_is_healthy, http_answers, http_client


class _Service(BaseHTTPRequestHandler):
    """Answers /busy with 503, /health as Airflow does, and anything else with 200."""

    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]]

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        body = b'{"scheduler": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}}'
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        pass


@pytest.fixture
def service() -> Iterator[str]:
    _Service.connections = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Service) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_service_is_ready_when_its_page_answers_with_success(service: str) -> None:
    assert http_answers(f"{service}/metrics")
    assert not http_answers(f"{service}/busy")


@pytest.mark.parametrize(
    ("component", "is_healthy"), [("scheduler", True), ("triggerer", False), ("unknown", False)]
)
def test_an_airflow_component_is_ready_when_airflow_calls_it_healthy(
    service: str, component: str, *, is_healthy: bool
) -> None:
    assert airflow_component_is_healthy(f"{service}/health", component) is is_healthy


def test_no_probe_reuses_a_connection_that_a_restart_would_close(service: str) -> None:
    assert all(http_answers(service) for _ in range(3))
    assert len(_Service.connections) == 3


def test_probes_in_threads_load_certificates_once(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = list[str]()
    original = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, *files: str | None) -> None:
        loads.append(str(files))
        original(context, *files)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    http_client.cache_clear()
    http_client()
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: http_answers(service), range(12)))
    assert len(loads) == 1
