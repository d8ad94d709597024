"""Notify systemd of readiness and life: the sd_notify protocol, one datagram a message."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Notifier:
    """The socket that systemd listens on; without one, messages are dropped.

    ``watchdog_seconds`` is how long systemd waits for the next WATCHDOG=1; None: for ever.
    """

    address: str = ""
    watchdog_seconds: float | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Notifier:
        """Read NOTIFY_SOCKET and WATCHDOG_USEC."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        return cls(
            environment.get("NOTIFY_SOCKET", ""),
            int(microseconds) / MICROSECONDS if microseconds.isdecimal() else None,
        )

    def send(self, *assignments: str) -> None:
        """Send assignments such as ``READY=1``; each is one line.

        Raises:
            OSError: systemd does not listen.
        """
        if not self.address:
            return
        text = "\n".join(" ".join(one.splitlines()) for one in assignments)
        # An @ names a socket of the abstract namespace.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(text.encode(), address)
