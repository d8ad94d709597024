"""Provide the images of other projects: from a registry, or as stand-ins built here.

A stand-in has the official image's name, paths and user, Debian's packages and our locked jars.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from fraudwatch.stack import environments, install
from fraudwatch.stack.catalogue import load
from fraudwatch.stack.home import ROOT, Home

FOLDER = Path(__file__).parent
DEBIAN = "debian:bookworm-slim"
MIRROR = "http://deb.debian.org/debian"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Services of docker-compose.yml with a stand-in -> the catalogue's services whose jars it needs.
STANDINS = {"kafka": "kafka", "cassandra": "cassandra", "namenode": "namenode"}
WITHOUT_JARS = ("postgres", "mailbox", "statsd_bridge")


def provide(services: Iterable[str], folder: Path) -> list[str]:
    """Pull the images that these services need, build what cannot be pulled; name the latter."""
    wanted = {name: image for name, image in _images().items() if name in {*services, "python"}}
    missing = {name for name, image in wanted.items() if not _is_here(image) and not _pulls(image)}
    if not missing:
        return []
    if not _is_here(DEBIAN) and not _pulls(DEBIAN):
        _make_debian(folder / "debian")
    context = _context(folder / "context", missing)
    variables = {f"{name.upper()}_IMAGE": image for name, image in _images().items()}
    for names in (["java"], sorted(missing)):
        _build(names, {**variables, "STANDIN_CONTEXT": str(context)})
    return sorted(missing)


def _images() -> dict[str, str]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    dockerfile = (ROOT / "docker/Dockerfile").read_text("utf-8")
    found = {name: services[name]["image"] for name in (*STANDINS, *WITHOUT_JARS)}
    base = re.search(r"^FROM (python:\S+) AS base$", dockerfile, re.MULTILINE)
    assert base is not None
    return {**found, "python": base[1]}


def _is_here(image: str) -> bool:
    shown = subprocess.run(["docker", "image", "inspect", image], check=False, capture_output=True)
    return shown.returncode == 0


def _pulls(image: str) -> bool:
    pulled = subprocess.run(["docker", "pull", "--quiet", image], check=False, capture_output=True)
    return pulled.returncode == 0


def _make_debian(folder: Path) -> None:
    subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", str(folder), MIRROR],
        check=True,
        capture_output=True,
    )
    with subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE) as packed:
        subprocess.run(["docker", "import", "-", DEBIAN], check=True, stdin=packed.stdout)
    shutil.rmtree(folder)


def _context(folder: Path, missing: set[str]) -> Path:
    shutil.copytree(FOLDER / "standins", folder)
    shutil.copy(CERTIFICATES, folder)
    shutil.copytree(ROOT / "docker/hdfs", folder / "hdfs")
    home = Home.from_environment()
    engines = [service for name, service in STANDINS.items() if name in missing]
    install.ensure(home, load(), engines, environments.to_stderr)
    for jars in ("kafka", "cassandra", "hdfs", "hdfs_from_wheel"):
        if (home.jars / jars).is_dir():
            shutil.copytree(home.jars / jars, folder / "jars" / jars)
    return folder


def _build(names: list[str], variables: Mapping[str, str]) -> None:
    command = ["docker", "compose", "--file", str(FOLDER / "standins.yml"), "build", *names]
    subprocess.run(command, check=True, env={**os.environ, **variables})
