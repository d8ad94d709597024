"""The canary in the pointer of the active models, as its guard sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fraudwatch.adapters.artefacts.model_pointer import (
    CanaryPointer,
    Pointer,
    end_canary,
    read_pointer,
)


@dataclass(frozen=True, slots=True)
class CanaryPointerFolder:
    """Folder of the pointer."""

    folder: Path

    def read(self) -> Pointer:
        """Return the pointer; one that names nothing if there is none.

        Raises:
            BrokenModel: it is not a pointer.
        """
        return read_pointer(self.folder)

    def end(self, canary: CanaryPointer) -> None:
        """End this canary, unless another one or none is active by now."""
        end_canary(self.folder, canary)
