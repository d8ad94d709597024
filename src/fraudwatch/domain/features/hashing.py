"""Hash strings to fixed 64-bit keys: the same on every machine, version and run.

FNV-1a (Fowler, Noll, Vo) with the finaliser of MurmurHash3; Python's own ``hash`` is salted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Int64s, UInt64s
from fraudwatch.domain.features.compiled import compiled

_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@compiled
def hash_strings(starts: Int64s, utf8: npt.NDArray[np.uint8]) -> UInt64s:
    """Hash strings stored end to end in ``utf8``; string i is ``starts[i]:starts[i + 1]``."""
    hashes = np.empty(len(starts) - 1, dtype=np.uint64)
    for i in range(len(hashes)):
        h = _FNV_OFFSET
        for j in range(starts[i], starts[i + 1]):
            h = (h ^ np.uint64(utf8[j])) * _FNV_PRIME
        h = (h ^ (h >> _SHIFT)) * _MIX_1
        h = (h ^ (h >> _SHIFT)) * _MIX_2
        hashes[i] = h ^ (h >> _SHIFT)
    return hashes


def keys_of(texts: Sequence[str | None]) -> UInt64s:
    """Return the hash of each text; 0 where it is unknown."""
    utf8 = [text.encode() if text is not None else b"" for text in texts]
    starts = np.concatenate(([0], np.cumsum([len(text) for text in utf8], dtype=np.int64)))
    hashes = np.asarray(hash_strings(starts, np.frombuffer(b"".join(utf8), dtype=np.uint8)))
    if None in texts:
        hashes[[text is None for text in texts]] = 0
    return hashes
