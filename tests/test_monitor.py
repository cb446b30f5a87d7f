"""The small server of a running program: what it shows, to whom, and what it says when its port is taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from pipeline.errors import MatThanError
from pipeline.metrics import Metrics
from pipeline.monitor import Health, Pages, serving


def free_port(address: str = "127.0.0.1") -> int:
    with socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def server(live: bool = True, ready: bool = True, address: str = "127.0.0.1") -> Iterator[httpx.Client]:
    metrics = Metrics()
    metrics.frames_analysed.labels("gate").inc(7)
    pages = Pages(
        metrics.registry,
        lambda: Health(live, {"loop_seconds": 0.1}),
        lambda: Health(ready, {"database": "reachable"}),
        lambda: {"cameras": [{"id": "Ngọ Môn"}]},
    )
    with (
        serving(address, free_port(address), pages) as base,
        httpx.Client(base_url=base or "", trust_env=False) as client,
    ):
        yield client


def test_metrics_are_in_the_format_that_is_asked_for():
    with server() as client:
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert 'matthan_frames_analysed_total{camera="gate"} 7.0' in answer.text
        assert "process_resident_memory_bytes" in answer.text
        opened = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
        assert opened.text.rstrip().endswith("# EOF")


@pytest.mark.parametrize(("path", "well"), [("/health/live", "live"), ("/health/ready", "ready")])
def test_health_is_a_status_code(path, well):
    with server() as client:
        assert (client.get(path).status_code, client.get(path).json()["status"]) == (200, "ok")
    with server(**{well: False}) as client:
        assert (client.get(path).status_code, client.get(path).json()["status"]) == (503, "failing")


def test_status_is_json_and_nothing_else_is_served():
    with server() as client:
        assert client.get("/status").json() == {"cameras": [{"id": "Ngọ Môn"}]}
        assert client.get("/").status_code == 404
        assert client.get("/../etc/passwd").status_code == 404
        assert client.post("/status").status_code == 501


def test_it_listens_on_ipv6_too():
    try:
        free_port("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server(address="::1") as client:
        assert client.get("/health/live").status_code == 200


def test_a_port_that_is_taken_is_one_clear_error():
    pages = Pages(Metrics().registry, lambda: Health(True, {}), lambda: Health(True, {}), dict)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MatThanError, match=rf"metrics: .*127\.0\.0\.1 port {port}.*streams\.yaml"):
            serving("127.0.0.1", port, pages).__enter__()


def test_port_0_serves_nothing():
    with serving(
        "127.0.0.1", 0, Pages(Metrics().registry, lambda: Health(True, {}), lambda: Health(True, {}), dict)
    ) as base:
        assert base is None
