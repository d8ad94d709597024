"""Write the OpenAPI document under ``contracts/openapi``, and generate the Python client from it.

``python -m rest_api.openapi_files`` does both; a test compares.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, cast

from fraudwatch.adapters.http.key_check import KeyCheck
from rest_api.app import create_app
from rest_api.document import document_text
from rest_api.services import RestApiServices

ROOT: Final = Path(__file__).parents[1]
DOCUMENT: Final = ROOT / "contracts" / "openapi" / "rest_api.v1.json"
CLIENT: Final = ROOT / "clients" / "python"
GENERATED: Final = CLIENT / "fraudwatch_client"
_CONFIG: Final = CLIENT / "generator.yaml"


def document() -> str:
    """Return the OpenAPI document; no service is used for it."""
    nothing: Any = None
    return document_text(create_app(cast("RestApiServices", nothing), cast("KeyCheck", nothing)))


def generate_client(source: Path, target: Path) -> None:
    """Generate the client package of a document into a folder, which is replaced.

    Raises:
        CalledProcessError: the generator failed; its output says why.
    """
    generator = Path(sys.executable).parent / "openapi-python-client"
    with tempfile.TemporaryDirectory() as folder:
        package, reduced = Path(folder) / "package", Path(folder) / "document.json"
        reduced.write_text(_without_stream(source.read_text(encoding="utf-8")), encoding="utf-8")
        subprocess.run(
            [
                *(generator, "generate", "--path", reduced, "--config", _CONFIG),
                *("--meta", "none", "--output-path", package, "--overwrite", "--fail-on-warning"),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            package, target, ignore=shutil.ignore_patterns("__pycache__", ".ruff_cache")
        )


def _without_stream(text: str) -> str:
    """Leave out the stream: a generated function would wait for its end, which never comes."""
    found = json.loads(text)
    del found["paths"]["/v1/alerts/stream"]
    return json.dumps(found)


def main() -> None:
    """Write the document and the client."""
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")
    generate_client(DOCUMENT, GENERATED)


if __name__ == "__main__":
    main()
