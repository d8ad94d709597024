from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from fraudwatch.adapters.artefacts import ecb_history
from fraudwatch.adapters.artefacts.ecb_history import (
    HistoryUnavailable,
    UnreadableHistory,
    download,
    parse_history,
)

TODAY = date(2026, 11, 30)
HEADER = "Date,USD,JPY,BGN,RUB,TRL,TRY,"
# The bank's layout: newest first, a comma after the last cell, N/A where nothing was published.
CONTENT = f"""{HEADER}
2026-11-27,1.1566,181.02,N/A,N/A,N/A,49.1,
2026-11-26,1.1572,181.5,N/A,N/A,N/A,49.0,
1999-01-04,1.1789,133.73,N/A,N/A,372274,N/A,
"""


def zipped(*contents: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number, content in enumerate(contents):
            file.writestr(f"eurofxref-hist{number or ''}.csv", content)
    return archive.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        zipped(CONTENT),
        CONTENT.encode(),
        CONTENT.replace("\n", "\r\n").encode("utf-8-sig"),
        CONTENT.replace(",\n", "\n").replace(",", ", ").encode(),  # as in the bank's daily file
        "\n".join([HEADER, *reversed(CONTENT.splitlines()[1:])]).encode(),
    ],
)
def test_a_history_is_read_from_the_archive_or_its_file(content: bytes) -> None:
    history = parse_history(content, TODAY)
    assert history.days == ["1999-01-04", "2026-11-26", "2026-11-27"]
    assert history.rates == {
        "USD": [("1999-01-04", "1.1789"), ("2026-11-26", "1.1572"), ("2026-11-27", "1.1566")],
        "JPY": [("1999-01-04", "133.73"), ("2026-11-26", "181.5"), ("2026-11-27", "181.02")],
        "TRL": [("1999-01-04", "372274")],
        "TRY": [("2026-11-26", "49.0"), ("2026-11-27", "49.1")],
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x80\x81", "neither a zip archive nor text"),
        (b"PK\x03\x04 cut", "the archive cannot be opened"),
        (zipped(CONTENT)[:-30], "the archive cannot be opened"),
        (zipped(CONTENT, CONTENT), "must have one CSV file, has 2"),
        (b"", "line 0: must begin with Date"),
        (b"<html><body>Not found</body></html>", "line 1: must begin with Date"),
        (b"Date,USD,JPY,\n", "line 1: must begin with Date"),
        (f"{HEADER}\n".encode(), "line 1: there is no rate"),
        (f"{HEADER[:-1]},USD,\n".encode(), "line 1: a currency has two columns"),
        (CONTENT.replace("JPY", "yen").encode(), "line 1: currency must be an ISO 4217 code"),
        (CONTENT.replace("181.5,", "").encode(), "line 3: must have a day and 6 cells"),
        (CONTENT.replace("49.0,", "49.0,1,").encode(), "line 3: must have a day and 6 cells"),
        (CONTENT.replace("181.5", "-181.5").encode(), "line 3: units_per_euro must be a positive"),
        (CONTENT.replace("181.5", "0").encode(), "line 3: units_per_euro must be a positive"),
        (CONTENT.replace("181.5", "none").encode(), "line 3: units_per_euro must be a positive"),
        (CONTENT.replace("2026-11-26", "26 Nov 2026").encode(), "line 3: valid_on must be a day"),
        (CONTENT.replace("2026-11-26", "2026-11-27").encode(), "line 3: .* not in order of day"),
        (CONTENT.replace("1999-01-04", "2026-11-29").encode(), "line 4: .* not in order of day"),
        (CONTENT.replace("2026-11-27", "2026-12-01").encode(), "line 2: 2026-12-01 is in the fut"),
    ],
)
def test_another_file_is_refused_with_line_and_cause(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableHistory, match=sentence):
        parse_history(content, TODAY)


def test_an_archive_that_unpacks_to_more_than_the_history_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ecb_history, "_LARGEST_BYTES", 1 << 20)
    with pytest.raises(UnreadableHistory, match="larger than 1 MiB"):
        parse_history(zipped("0" * (1 << 20) + "0"), TODAY)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved.zip":
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", "/hist.zip")
            self.end_headers()
            return
        is_known = self.path == "/hist.zip"
        self.send_response(HTTPStatus.OK if is_known else HTTPStatus.NOT_FOUND)
        self.end_headers()
        self.wfile.write(zipped(CONTENT))

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def bank() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_archive_is_downloaded_also_after_a_redirect(bank: str) -> None:
    assert download(f"{bank}/hist.zip") == download(f"{bank}/moved.zip") == zipped(CONTENT)


def test_a_failed_download_is_named(bank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HistoryUnavailable, match=r"/gone.zip cannot be downloaded \(.*404"):
        download(f"{bank}/gone.zip")
    with pytest.raises(HistoryUnavailable, match=r"cannot be downloaded"):
        download("http://127.0.0.1:9/hist.zip")
    with pytest.raises(HistoryUnavailable, match=r"cannot be downloaded"):
        download("hist.zip")
    monkeypatch.setattr(ecb_history, "_LARGEST_BYTES", 100)
    with pytest.raises(HistoryUnavailable, match="so it is not the history"):
        download(f"{bank}/hist.zip")
