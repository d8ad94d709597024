"""Generate docs/dags.md from the docstrings of the DAG files; a test compares the two.

python -m fraudwatch.orchestration.dag_pages
"""

from __future__ import annotations

import ast
from pathlib import Path

_ROOT = Path(__file__).parents[3]
DAGS_FOLDER = _ROOT / "dags"
PAGE = _ROOT / "docs" / "dags.md"

_HEAD = """# DAGs

What Airflow runs, when, and what to do when it fails. Generated from the docstrings in `dags/` by
`python -m fraudwatch.orchestration.dag_pages`; the same text is on each DAG's page in the UI.
A run that fails sends one mail with the reason and the link to its log.
"""


def page() -> str:
    """Build the whole page from the DAG docstrings."""
    parts = [_HEAD]
    for path in sorted(DAGS_FOLDER.glob("*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        parts.append(f"\n## [{path.stem}](../dags/{path.name})\n\n{docstring}\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
