"""Run the console: its metrics from the start of the process on, then Streamlit's server.

``python -m streamlit_app`` takes the options of ``streamlit run``. Streamlit itself runs the
console's script when a browser opens it, and metrics would be missing until then.
"""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web import cli

from fraudwatch.settings import ConsoleSettings
from streamlit_app import metrics

SCRIPT = Path(__file__).with_name("server.py")


def main() -> None:
    """Serve until stopped."""
    metrics.serve(ConsoleSettings().metrics_port)
    cli.main(["run", str(SCRIPT), *sys.argv[1:]])


if __name__ == "__main__":
    main()
