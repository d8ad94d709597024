"""Measure the machine, with node exporter's names for the same things."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from exporters.families import Family, family, single


def machine_families(folders: Iterable[Path]) -> Iterator[Family]:
    """Return processor time, memory, load, and the file systems that hold these folders."""
    yield family(
        "node_cpu_seconds_total",
        [
            ((str(number), mode), seconds)
            for number, times in enumerate(psutil.cpu_times(percpu=True))
            for mode, seconds in times._asdict().items()
            if not mode.startswith("guest")  # counted as user and nice already
        ],
    )
    memory = psutil.virtual_memory()
    yield single("node_memory_MemTotal_bytes", memory.total)
    yield single("node_memory_MemAvailable_bytes", memory.available)
    yield single("node_load1", os.getloadavg()[0])
    yield single("node_boot_time_seconds", psutil.boot_time())
    mounts = sorted({mount_point(folder) for folder in folders})
    disks = {str(mount): os.statvfs(mount) for mount in mounts}
    yield family(
        "node_filesystem_size_bytes",
        [((mount,), disk.f_blocks * disk.f_frsize) for mount, disk in disks.items()],
    )
    yield family(
        "node_filesystem_avail_bytes",
        [((mount,), disk.f_bavail * disk.f_frsize) for mount, disk in disks.items()],
    )


def mount_point(folder: Path) -> Path:
    """Return where the file system of a folder is mounted."""
    resolved = folder.resolve()
    return next(path for path in (resolved, *resolved.parents) if path.is_mount())
