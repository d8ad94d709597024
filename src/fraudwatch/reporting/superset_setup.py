"""Set up Superset: its database, roles, logins and assets; idempotent, run at every start.

``python -m fraudwatch.reporting.superset_setup``
"""

from __future__ import annotations

import logging
import sys
import time

from pydantic import ValidationError

from fraudwatch.observability.logs import configure_logging
from fraudwatch.reporting.asset_files import contents_of
from fraudwatch.reporting.settings import SupersetSetupSettings
from fraudwatch.settings import HiveSettings

JOB = "superset_setup"

log = logging.getLogger(JOB)


def set_up(settings: SupersetSetupSettings, lake: HiveSettings) -> None:
    """Migrate the metadata database, import every asset, and grant the roles their data sets.

    Raises:
        FileNotFoundError: the checkout has no assets.
    """
    contents = contents_of(settings.assets_folder, lake)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Superset reads its settings when it is imported.
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        from fraudwatch.reporting import superset_access, superset_import

        superset_access.migrate()
        superset_access.make_logins(settings)
        superset_import.import_assets(contents)
        superset_access.grant_data_sets()
        superset_access.restrict_sources(settings.sources)


def main() -> int:
    """Run the setup; the exit code is 1 if a setting or an asset is refused."""
    configure_logging(JOB)
    began = time.monotonic()
    try:
        settings, lake = SupersetSetupSettings(), HiveSettings()
    except ValidationError as error:
        log.error(  # noqa: TRY400  the sentence is enough, and quotes no value
            "Superset was not set up: %s",
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()),
        )
        return 1
    try:
        set_up(settings, lake)
    except FileNotFoundError as error:
        log.error("Superset was not set up: %s", error)  # noqa: TRY400  the sentence is enough
        return 1
    log.info("Superset is ready, %.0f s", time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
