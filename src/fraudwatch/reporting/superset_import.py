"""Import all assets into Superset at once; what is there with the same uuid is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from superset import db, security_manager
from superset.commands.importers.v1.assets import ImportAssetsCommand
from superset.utils.core import override_user

_OWNER: Final = "admin"


def import_assets(contents: Mapping[str, str]) -> None:
    """Import the files, all of them or none, as the administrator's own."""
    with override_user(security_manager.find_user(username=_OWNER)):
        ImportAssetsCommand(dict(contents)).run()
    db.session.commit()
