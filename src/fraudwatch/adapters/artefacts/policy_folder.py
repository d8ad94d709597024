"""Folder of the live policy: ``policy.yaml``, ``lists.yaml``, their history, and drafts.

``history/history.jsonl`` has one line a version that was live, ``history/SHA256.yaml`` its files.
The history is written before the live files, so that the detector can check what it loads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from fraudwatch.adapters.artefacts.reloadable_policy import LISTS_FILE
from fraudwatch.adapters.durable_file import lock_file, replace_file
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.policy.versions import (
    Draft,
    DraftBacktest,
    DraftState,
    LiveVersion,
    Origin,
    PolicyContents,
    PolicyUnavailable,
)
from fraudwatch.domain.policy.list_document import NO_LISTS_DOCUMENT
from fraudwatch.domain.policy.policy import BrokenPolicy

POLICY_FILE: Final = "policy.yaml"
_CLOSED: Final = (DraftState.PROMOTED, DraftState.REJECTED, DraftState.WITHDRAWN)
# Drafts that were decided long ago are in the history or in the audit log.
KEPT_DRAFTS: Final = 50


class PolicyFolder:
    """``PolicyStore`` over a folder of the home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy_path, self.lists_path = folder / POLICY_FILE, folder / LISTS_FILE
        self._history = JsonlJournal(folder / "history" / "history.jsonl")

    @contextmanager
    def lock(self) -> Iterator[None]:
        with ExitStack() as locked:
            with _available():
                locked.enter_context(lock_file(self.policy_path))
            yield

    def live(self) -> PolicyContents:
        with _available():
            lists = self.lists_path.read_bytes() if self.lists_path.exists() else NO_LISTS_DOCUMENT
            return PolicyContents(self.policy_path.read_bytes(), lists)

    def history(self) -> list[LiveVersion]:
        with _available():
            return [_version(entry) for entry in self._history.entries()]

    def contents_of(self, policy_sha256: str, lists_sha256: str) -> PolicyContents | None:
        with _available():
            try:
                return PolicyContents(
                    self._content(policy_sha256).read_bytes(),
                    self._content(lists_sha256).read_bytes(),
                )
            except FileNotFoundError:
                return None

    def record(self, version: LiveVersion, contents: PolicyContents) -> None:
        with _available():
            replace_file(self._content(contents.policy_sha256), contents.policy)
            replace_file(self._content(contents.lists_sha256), contents.lists)
            self._history.append(asdict(version))

    def replace_live(self, contents: PolicyContents) -> None:
        with _available():
            for path, content in zip((self.policy_path, self.lists_path), contents, strict=True):
                if not path.exists() or path.read_bytes() != content:
                    replace_file(path, content)

    def drafts(self) -> list[Draft]:
        with _available():
            paths = (self.folder / "drafts").glob("*.json")
            found = [_draft(json.loads(path.read_bytes())) for path in paths]
        return sorted(found, key=lambda one: (one.changed_at_ms, one.draft_id), reverse=True)

    def put_draft(self, draft: Draft) -> None:
        with _available():
            replace_file(self._draft_path(draft), json.dumps(asdict(draft)).encode())
            closed = [one for one in self.drafts() if one.state in _CLOSED]
            for old in closed[KEPT_DRAFTS:]:
                self._draft_path(old).unlink(missing_ok=True)

    def refuse_unpromoted(self, content: bytes) -> None:
        """Refuse a live file whose content the newest entry of the history does not name.

        Raises:
            BrokenPolicy: it was edited by hand.
        """
        history = self.history()
        last = history[-1] if history else None
        contents = PolicyContents(content, content)
        if last is None or contents.policy_sha256 not in {last.policy_sha256, last.lists_sha256}:
            raise BrokenPolicy(
                "the file was edited by hand, which POLICY_HAND_EDITS=False in .env refuses; "
                "promote the change on the Rules page, or put the file of before back "
                "(./fraudwatch policy history)"
            )

    def _content(self, sha256: str) -> Path:
        return self.folder / "history" / f"{sha256}.yaml"

    def _draft_path(self, draft: Draft) -> Path:
        return self.folder / "drafts" / f"{draft.draft_id}.json"


@contextmanager
def _available() -> Iterator[None]:
    """Translate errors of the file system."""
    try:
        yield
    except PolicyUnavailable:
        raise
    except OSError as error:
        raise PolicyUnavailable(
            f"the policy's folder cannot be used, so nothing was changed: {error}; the detector "
            "makes it at its first start"
        ) from error


def _version(entry: dict[str, Any]) -> LiveVersion:
    return LiveVersion(**{**entry, "origin": Origin(entry["origin"])})


def _draft(document: dict[str, Any]) -> Draft:
    backtest = document["backtest"]
    return Draft(
        **{
            **document,
            "state": DraftState(document["state"]),
            "backtest": None if backtest is None else DraftBacktest(**backtest),
        }
    )
