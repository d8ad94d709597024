"""Import all assets into Superset at once; what is there with the same uuid is overwritten.

Charts and dashboards that left the files are deleted; those that people made are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import yaml
from superset import db, security_manager
from superset.commands.importers.v1.assets import ImportAssetsCommand
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice
from superset.utils.core import override_user

_OWNER: Final = "admin"


def import_assets(contents: Mapping[str, str]) -> None:
    """Import the files, all of them or none, as the administrator's own."""
    with override_user(security_manager.find_user(username=_OWNER)):
        ImportAssetsCommand(dict(contents)).run()
        ids = {
            UUID(str(yaml.safe_load(text).get("uuid", UUID(int=0)))) for text in contents.values()
        }
        for model in (Dashboard, Slice):
            for one in db.session.query(model).filter_by(is_managed_externally=True):
                if one.uuid not in ids:
                    db.session.delete(one)
        db.session.commit()
