"""Encode risk views as files: one ``<sha256>.npz`` each, a small header and plain arrays."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

import numpy as np

from fraudwatch.adapters.artefacts.hashed_files import HashedFiles
from fraudwatch.domain.views.catalogue import VIEW_FEATURES, Entity, views_version
from fraudwatch.domain.views.view import BrokenView, EntityTable, RiskView

# 16 bytes a customer, 80 a merchant: some three million customers and 200,000 merchants.
MAX_VIEW_BYTES: Final = 64 * 2**20
VIEW_FILES: Final = HashedFiles(
    "risk view", ".npz", "build it again, of fewer entities if it is too big", BrokenView,
    MAX_VIEW_BYTES,
)  # fmt: skip
_HEADER = "about"
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


def view_bytes(view: RiskView) -> bytes:
    """Encode a view; equal views give equal bytes."""
    text = json.dumps(_header_of(view), sort_keys=True).encode()
    arrays: dict[str, Any] = {_HEADER: np.frombuffer(text, np.uint8)}
    for entity in Entity:
        arrays |= {f"{name}_{entity}": a for name, a in view.tables[entity]._asdict().items()}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return content.getvalue()


def _header_of(view: RiskView) -> dict[str, Any]:
    return {
        "built_until_ms": view.built_until_ms,
        "valid_from_ms": view.valid_from_ms,
        "label_delay_ms": view.label_delay_ms,
        "features": [one.name for one in VIEW_FEATURES],
        "views_version": views_version(),
    }


def view_of(content: bytes) -> RiskView:
    """Decode a view.

    Raises:
        BrokenView: it cannot be read, is too big, or has another catalogue than today's.
    """
    try:
        _expect_small(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        header = json.loads(arrays.pop(_HEADER).tobytes())
        tables = {
            entity: EntityTable(*(arrays[f"{name}_{entity}"] for name in EntityTable._fields))
            for entity in Entity
        }
        view = RiskView(int(header["built_until_ms"]), tables, int(header["label_delay_ms"]))
        _expect_header(header, view)
    except BrokenView:
        raise
    except _DAMAGED as error:
        raise BrokenView(
            f"it cannot be read ({type(error).__name__}: {error}); build it again"
        ) from error
    return view


def _expect_header(header: dict[str, Any], view: RiskView) -> None:
    for name, wanted in _header_of(view).items():
        if header[name] != wanted:
            raise BrokenView(f"its {name} is not today's or not its hour's; build it again")


def _expect_small(content: bytes) -> None:
    """Refuse files that unpack to more than the limit (zip bombs)."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(one.file_size for one in packed.infolist()) > MAX_VIEW_BYTES:
            raise BrokenView("it unpacks to more than the limit; build it again")
