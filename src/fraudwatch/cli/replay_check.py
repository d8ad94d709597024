"""``fraudwatch replay --check``: show what a file's first rows become, and send nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.joined_file import joined_path
from fraudwatch.adapters.datasets.ledger import Journal, identity_of
from fraudwatch.adapters.datasets.mapping import load_mapping
from fraudwatch.adapters.datasets.preview import FieldPreview, Preview, preview_of
from fraudwatch.application.replay.ports import ReplayFailed
from fraudwatch.application.replay.send import as_sentence
from fraudwatch.cli import output
from fraudwatch.cli.replay_run import Request, ledger_of, newest_accepted
from fraudwatch.cli.replay_text import span, too_late_sentence

FAILED, OK = 1, 0
_HEADINGS = ("made of", "valid", "absent", "bad", "becomes")


@dataclass(frozen=True, slots=True)
class Check:
    """Preview of a file, with the sentences that a replay of it would begin with."""

    preview: Preview
    rows_in_range: int
    span: str
    sentences: list[str]

    @property
    def code(self) -> int:
        """Exit code: 1 if a row would stop the replay."""
        return FAILED if self.preview.bad_rows or not self.preview.rows else OK

    def document(self) -> dict[str, Any]:
        """Return the check for ``--json``."""
        return {
            "rows": self.preview.rows,
            "rows_in_range": self.rows_in_range,
            "fields": [asdict(one) for one in self.preview.fields],
            "refund_rows": self.preview.refund_rows,
            "refund_fields": [asdict(one) for one in self.preview.refund_fields],
            "bad_rows": [str(one) for one in self.preview.bad_rows],
            "sentences": self.sentences,
        }


def checked(request: Request, home: Path, rows: int) -> Check:
    """Check a replay, without sending or recording anything.

    Raises:
        WrongMapping: the mapping, or a column it names, is wrong.
        UnreadableFile: a file cannot be read.
    """
    mapping = load_mapping(request.mapping)
    dataset = DatasetFile(request.file, mapping, from_ms=request.from_ms, until_ms=request.until_ms)
    preview = preview_of(dataset, mapping, rows)
    identity = identity_of(
        joined_path(request.file, mapping), mapping, request.from_ms, request.until_ms
    )
    journal = Journal(ledger_of(home), identity, request.file, mapping, lambda: 0.0)
    sentences = [*dataset.warnings]
    if dataset.left_out:
        sentences.append(f"{dataset.left_out} rows are left out, as leave_out and only define.")
    if dataset.repeated_headers:
        sentences.append(f"{dataset.repeated_headers} rows repeat the header, and are left out.")
    if late := too_late_sentence(dataset, journal.newest_other_ms(newest_accepted(home))):
        sentences.append(late)
    try:
        journal.position()
    except ReplayFailed as error:
        sentences.append(str(error))
    return Check(preview, dataset.count, span(dataset), sentences)


def print_check(check: Check) -> None:
    """Print the check as a table, one line a field, and a second one where rows are refunds."""
    preview = check.preview
    if preview.fields or not preview.refund_fields:
        output.results.print(_table("field", preview.fields))
    if preview.refund_fields:
        output.results.print(_table("field of a refund", preview.refund_fields))
    of_them = f", of which {preview.refund_rows} are refunds" if preview.refund_rows else ""
    lines = [
        f"The first {preview.rows} of {check.rows_in_range} rows by time{of_them}; {check.span}.",
        "Nothing was sent.",
        *check.sentences,
    ]
    if preview.bad_rows:
        lines.append(
            f"{len(preview.bad_rows)} row(s) make no purchase and no refund; correct the file or"
            f" the mapping, or skip them with --skip-bad-rows:\n{as_sentence(preview.bad_rows)}"
        )
    for line in lines:
        output.results.print(line, markup=False, soft_wrap=True)


def _table(first_heading: str, fields: list[FieldPreview]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (first_heading, *_HEADINGS):
        table.add_column(heading, overflow="fold")
    for one in fields:
        cells = (one.field, one.made_of, one.valid, one.absent, one.invalid, one.becomes)
        table.add_row(*(str(cell) for cell in cells))
    return table
