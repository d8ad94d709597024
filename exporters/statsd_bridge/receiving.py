"""Receive StatsD packets by UDP."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from threading import Event
from typing import Final

from prometheus_client import Counter

from exporters.statsd_bridge.lines import BadLine
from exporters.statsd_bridge.series import Series

MAX_PACKET_BYTES: Final = 65_535
# A burst of a whole DAG run is kept while a scrape holds the lock.
_BUFFER_BYTES: Final = 1 << 20
_STOP_CHECK_SECONDS: Final = 0.5
_LOGGED_LINES: Final = 20

log = logging.getLogger("statsd_bridge")


def listen(port: int) -> socket.socket:
    """Open the UDP port on loopback; 0 is any free one."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    opened.settimeout(_STOP_CHECK_SECONDS)
    opened.bind(("127.0.0.1", port))
    return opened


@dataclass(slots=True)
class Receiver:
    """Adds packets to the series; bad lines are counted and change nothing."""

    series: Series
    bad_lines: Counter
    log_next_lines: int = _LOGGED_LINES
    """A sender that repeats a bad line must not fill the disk."""

    def run(self, opened: socket.socket, stopping: Event) -> None:
        """Receive packets until stopped."""
        while not stopping.is_set():
            try:
                packet = opened.recv(MAX_PACKET_BYTES)
            except TimeoutError:
                continue
            self.receive(packet)

    def receive(self, packet: bytes) -> None:
        """Add the lines of one packet."""
        for line in filter(None, packet.split(b"\n")):
            try:
                self.series.receive(line)
            except BadLine as error:
                self._refuse(line, error)

    def _refuse(self, line: bytes, error: BadLine) -> None:
        self.bad_lines.inc()
        if self.log_next_lines > 0:
            self.log_next_lines -= 1
            log.warning("refused the StatsD line %.200r: %s", line, error)
