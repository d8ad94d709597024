"""Build one service of docker-compose.yml from the catalogue's service and its adjustment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.catalogue import CatalogueError, Service
from fraudwatch.stack.compose.addresses import between_containers, named_services, variable
from fraudwatch.stack.compose.health import health_check
from fraudwatch.stack.compose.overlay import Adjustment, Overlay
from fraudwatch.stack.compose.paths import IN_IMAGE, prepared, values_of, volumes_of

SHARES_BY_NICE = {0: 1024, 5: 512, 10: 256, 15: 128}
LEAST_MEMORY_MIB = 128
TMP = "/tmp:mode=1777,exec"  # noqa: S108  in memory; Java unpacks libraries there and runs them
ONESHOT_MEMORY_MIB = 512
_SETTING = re.compile(r"\{setting\.(\w+)\}")
_PLACEHOLDER = re.compile(r"\{([a-z]+(?:\.\w+)*)\}")


@dataclass(frozen=True)
class Variables:
    """Variables of a container: plain ones, and secrets as variable -> secret."""

    plain: Mapping[str, str]
    secrets: Mapping[str, str]


def container(overlay: Overlay, example: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the compose service of this name; empty entries are left out."""
    service, adjustment = overlay.services[name], overlay.adjustment(name)
    variables = _variables(overlay, example, service, adjustment)
    body: dict[str, Any] = {
        **_image(service, adjustment),
        "profiles": [p for p in overlay.profiles if name in overlay.members(p)],
        **_command(service, adjustment),
        "user": adjustment.user,
        "tmpfs": [TMP, *(f"{path}:mode=1777" for path in adjustment.tmpfs)]
        if adjustment.tmpfs
        else None,
        "environment": dict(sorted(variables.plain.items())),
        "secrets": list(_secret_mounts(variables.secrets, adjustment)),
        "volumes": list(volumes_of(overlay, name)) + list(_mounts(service, adjustment)),
        "ports": list(_ports(overlay, service)),
        "networks": list(adjustment.networks) or _networks(overlay, service),
        "depends_on": _depends_on(overlay, name),
        **health_check(service, adjustment),
        "mem_limit": f"{memory_mib(service, adjustment)}m",
        "cpu_shares": SHARES_BY_NICE[service.nice],
        "restart": "no" if service.oneshot else None,
        "stop_grace_period": None if service.oneshot else f"{service.stop_seconds}s",
    }
    return {key: value for key, value in body.items() if value not in (None, [], {})}


def memory_mib(service: Service, adjustment: Adjustment) -> int:
    """Return the limit: half more than the service needs, or its own."""
    usual = ONESHOT_MEMORY_MIB if service.oneshot else service.memory_mib * 3 // 2
    return adjustment.memory_mib or max(usual, LEAST_MEMORY_MIB)


def filled(text: str, service: Service, adjustment: Adjustment) -> str:
    """Fill a text's placeholders with the paths and ports inside this container."""
    values = values_of(service, adjustment)

    def value(found: re.Match[str]) -> str:
        if found[1].startswith("port."):
            return values[found[1]]
        if found[1] not in values:
            raise CatalogueError(
                f"compose.toml, [service.{service.name}]: the image has no {{{found[1]}}}; give "
                "its path in `jars`, `java` or `program`"
            )
        return values[found[1]]

    return _PLACEHOLDER.sub(value, text)


def argv(service: Service, adjustment: Adjustment) -> list[str]:
    """Return the command inside the container."""
    command = service.command if adjustment.command is None else adjustment.command
    parts = shlex.split(between_containers(command, service.name))
    return [filled(part, service, adjustment) for part in parts]


def _image(service: Service, adjustment: Adjustment) -> dict[str, Any]:
    if adjustment.image:
        return {"image": adjustment.image}
    target = service.environment_name
    build = {"context": ".", "dockerfile": "docker/Dockerfile", "target": target}
    return {"image": f"fraudwatch/{target}:local", "build": build}


def _command(service: Service, adjustment: Adjustment) -> dict[str, Any]:
    words = argv(service, adjustment)
    if adjustment.image is None:
        # The image has no engine of another project: this process renders its own settings.
        own = ["python", "-m", "fraudwatch.stack.compose.prepared", service.name, "--"]
        return {"command": [*own, *words] if service.prepare else words}
    if not words:
        return {}
    if adjustment.before is None:
        return {"entrypoint": words[:1], "command": words[1:]}
    before = filled(adjustment.before, service, adjustment)
    line = f"{{ {before}; }} && exec {shlex.join(words)}"
    return {"entrypoint": [adjustment.shell, "-c"], "command": [line]}


def _variables(
    overlay: Overlay, example: Mapping[str, str], service: Service, adjustment: Adjustment
) -> Variables:
    plain, secrets = dict[str, str](), dict(adjustment.secrets)
    for name, value in _texts(overlay, service, adjustment).items():
        setting = _SETTING.fullmatch(value)
        if setting and (env_file.is_secret(setting[1]) or setting[1] in overlay.secrets):
            secrets[name] = setting[1]
        else:
            address = variable(overlay, service.name, name, value)
            resolved = _resolved(overlay, example, address)
            plain[name] = filled(resolved, service, adjustment)
    return Variables(plain, secrets)


def _texts(overlay: Overlay, service: Service, adjustment: Adjustment) -> dict[str, str]:
    own = {} if adjustment.is_alone else dict(service.environment)
    texts = {**own, **adjustment.environment}
    for beside in [overlay.beside[name] for name in texts if name in overlay.beside]:
        texts |= beside
    if service.name == "configuration":
        for engine in filter(lambda name: overlay.adjustment(name).is_alone, prepared(overlay)):
            texts = {**overlay.services[engine].environment, **texts}
    return texts


def _resolved(overlay: Overlay, example: Mapping[str, str], text: str) -> str:
    """Replace settings: by compose.toml's value, or by the one in .env when compose reads it."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        # Natively the runner replaces `auto`; compose would pass the word on.
        fixed = {**catalogue.load().automatic, **overlay.settings}
        if name in fixed:
            return fixed[name]
        if env_file.is_secret(name):
            raise CatalogueError(f"{{setting.{name}}} is a secret inside a longer text: {text}")
        return f"${{{name}:-{example[name]}}}"

    return _SETTING.sub(value, text)


def _secret_mounts(secrets: Mapping[str, str], adjustment: Adjustment) -> Iterator[Any]:
    for name, secret in sorted(secrets.items()):
        yield secret if name == secret else {"source": secret, "target": name}
    yield from adjustment.secret_files


def _mounts(service: Service, adjustment: Adjustment) -> Iterator[str]:
    """Mount what another project's image reads: our own files, or the machine's."""
    if adjustment.image:
        texts = (service.command, adjustment.command or "", *service.environment.values())
        folders = {f for text in texts for f in re.findall(r"\{root\}/(\w+/\w+)", text)}
        yield from (f"./{folder}:{IN_IMAGE}/{folder}:ro" for folder in sorted(folders))
    for mount in adjustment.mounts:
        yield f"{'' if mount.startswith('/') else './'}{mount}:ro"


def _ports(overlay: Overlay, service: Service) -> Iterator[str]:
    for variable_name, place in overlay.published.items():
        owner, _, port_name = place.partition(".")
        if owner == service.name:
            port = service.ports[port_name]
            yield f"127.0.0.1:${{{variable_name}:-{port}}}:{port}"


def _networks(overlay: Overlay, service: Service) -> list[str]:
    texts = service.environment.values()
    reached = {service.name, *overlay.needs(service.name), *named_services(texts)}
    lake = set(overlay.networks["lake"])
    if service.name in lake:
        return ["lake"]
    return ["stream", "lake"] if reached & lake else ["stream"]


def _depends_on(overlay: Overlay, name: str) -> dict[str, Any]:
    return {
        need: {
            "condition": "service_completed_successfully"
            if overlay.services[need].oneshot
            else "service_healthy"
        }
        for need in overlay.needs(name)
    }
