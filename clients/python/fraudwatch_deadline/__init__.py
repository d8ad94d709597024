"""Decide a purchase before the source's deadline: by its verdict, or by the agreed default.

Standard library only. A till, a shop or a gateway copies this file or imports it::

    client = DeadlineClient("http://127.0.0.1:8001", "fwk_...", "shop")
    decision = client.decide(purchase, amount_eur_cents=4_200)
    if decision.outcome == "approve": ...
    client.send_late()  # now and then, from one thread

``decide`` returns within the deadline, also when ingest is slow or away. A purchase that was
decided by default is kept in ``late`` until ``send_late`` has sent it with ``applied_default``: it
is scored then, and it is an alert that says so if its verdict is stricter. ``late`` is in memory: a
client that may end before must store it.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# No answer, a refusal, or an answer that is none; timeouts and HTTP errors are OSErrors.
_FAILURES = (OSError, ValueError, http.client.HTTPException)


class ContractUnavailable(RuntimeError):
    """Ingest did not return the source's contract; nothing was decided."""


@dataclass(frozen=True)
class Decision:
    """Outcome of a purchase; ``verdict`` is None where it is the agreed default."""

    outcome: str
    verdict: Mapping[str, Any] | None = None

    @property
    def is_default(self) -> bool:
        """Whether no verdict came in time."""
        return self.verdict is None


@dataclass
class DeadlineClient:
    """Client of one source; its contract is read once, when it is created."""

    url: str
    api_key: str
    source: str
    late: list[dict[str, Any]] = field(default_factory=list)
    timeout_seconds: float = 10.0
    contract: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Read the contract.

        Raises:
            ContractUnavailable: ingest does not answer, or refuses the key.
        """
        try:
            self.contract = self._call(f"/v1/sources/{self.source}", None, self.timeout_seconds)
        except _FAILURES as error:
            raise ContractUnavailable(
                f"{self.url} did not return the contract of {self.source} ({error}), so no default "
                "is known; see whether ingest runs and the key is valid"
            ) from error

    def decide(self, purchase: Mapping[str, Any], *, amount_eur_cents: int) -> Decision:
        """Return the verdict's outcome, or the default when the deadline passes without one."""
        deadline_seconds = self.contract["deadline_ms"] / 1_000
        verdict = self._verdict(purchase, deadline_seconds)
        if verdict is not None:
            return Decision(str(verdict["outcome"]), verdict)
        outcome = self.default_for(amount_eur_cents)
        self.late.append({**purchase, "applied_default": outcome})
        return Decision(outcome)

    def default_for(self, amount_eur_cents: int) -> str:
        """Return the agreed outcome of an amount."""
        return next(
            str(default["outcome"])
            for default in self.contract["defaults"]
            if default["up_to_eur_cents"] is None or amount_eur_cents <= default["up_to_eur_cents"]
        )

    def send_late(self) -> int:
        """Send what was decided by default, oldest first; return how many are left for later."""
        while self.late:
            try:
                self._call("/v1/transactions", self.late[0], self.timeout_seconds)
            except urllib.error.HTTPError as error:
                if error.code not in {400, 409, 413, 422}:
                    break
                # Never acceptable as it is: it must not keep the others back.
            except _FAILURES:
                break
            del self.late[0]
        return len(self.late)

    def _verdict(self, purchase: Mapping[str, Any], seconds: float) -> Mapping[str, Any] | None:
        """Return the verdict if it comes in time.

        In a thread: a socket's timeout bounds each read, not the whole call.
        """
        answers: queue.Queue[Mapping[str, Any] | None] = queue.Queue()

        def ask() -> None:
            path = f"/v1/transactions?wait_seconds={seconds:.3f}"
            try:
                verdicts = self._call(path, purchase, seconds).get("verdicts")
            except _FAILURES:
                verdicts = None
            answers.put(verdicts[0] if verdicts else None)

        began = time.monotonic()
        threading.Thread(target=ask, daemon=True).start()
        try:
            return answers.get(timeout=max(0.0, seconds - (time.monotonic() - began)))
        except queue.Empty:
            return None

    def _call(self, path: str, body: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  the caller's own URL
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
        return found
