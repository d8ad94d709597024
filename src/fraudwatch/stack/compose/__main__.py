"""Write docker-compose.yml: ``python -m fraudwatch.stack.compose``."""

from __future__ import annotations

import sys

from fraudwatch.stack.catalogue import CatalogueError
from fraudwatch.stack.compose import overlay
from fraudwatch.stack.compose.document import compose_text
from fraudwatch.stack.home import ROOT


def main() -> int:
    """Write the file; exit code 1 if the catalogue does not allow it."""
    try:
        text = compose_text(overlay.load())
    except CatalogueError as error:
        sys.stderr.write(f"docker-compose.yml was not written: {error}\n")
        return 1
    (ROOT / "docker-compose.yml").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
