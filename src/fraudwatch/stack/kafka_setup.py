"""Set up the broker's users, topics and ACLs from contracts/topics, idempotently.

ACLs of our users that no contract gives any more are removed; other users are not changed.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from fraudwatch.domain.weak_secret import weakness_of
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack import topic_contracts
from fraudwatch.stack.home import ROOT, StackError
from fraudwatch.stack.topic_contracts import AclRight, Topic

TIMEOUT_SECONDS = 30
SCRAM_ITERATIONS = 4096
logger = logging.getLogger(__name__)


class SetupSettings(KafkaSettings):
    """The administrator's connection, and whether topics are flushed as their contracts want."""

    flush_each_message: bool = True


def set_up(
    admin: AdminClient,
    topics: tuple[Topic, ...],
    passwords: Mapping[str, str],
    *,
    flush_each_message: bool = True,
) -> None:
    """Bring users, topics and ACLs to what the contracts define."""
    make_users(admin, passwords)
    make_topics(admin, topics, flush_each_message=flush_each_message)
    set_rights(admin, topic_contracts.rights(topics), passwords.keys())


def make_users(admin: AdminClient, passwords: Mapping[str, str]) -> None:
    """Create the users, or set their current passwords."""
    mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
    wanted: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, mechanism, password.encode())
        for user, password in passwords.items()
    ]
    _finish(admin.alter_user_scram_credentials(wanted))


def make_topics(
    admin: AdminClient, topics: Iterable[Topic], *, flush_each_message: bool = True
) -> None:
    """Create missing topics, update limits and flush, refuse a changed partition count.

    Raises:
        StackError: the count differs; it must not change, because the partition keeps a customer's
            events in order.
    """
    existing = admin.list_topics(timeout=TIMEOUT_SECONDS).topics
    for topic in topics:
        configuration = topic.configured(flush_each_message=flush_each_message)
        if topic.name not in existing:
            wanted = NewTopic(topic.name, topic.partitions, 1, config=dict(configuration))
            _finish(admin.create_topics([wanted]), already=KafkaError.TOPIC_ALREADY_EXISTS)
            logger.info("created topic %s with %d partitions", topic.name, topic.partitions)
            continue
        if (found := len(existing[topic.name].partitions)) != topic.partitions:
            raise StackError(
                f"{topic.name} has {found} partitions but its contract has {topic.partitions}; "
                "customers would change partition and lose their order, so nothing was changed: "
                "restore the contract, or create a new topic and produce its messages again"
            )
        _finish(admin.incremental_alter_configs([_alteration(topic.name, configuration)]))
    if not flush_each_message:
        logger.warning(
            "KAFKA_FLUSH_EACH_MESSAGE is off: a power cut loses messages that were acknowledged in "
            "the seconds before it"
        )


def _alteration(topic: str, configuration: Iterable[tuple[str, str]]) -> ConfigResource:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in configuration
    ]
    return ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)


def set_rights(admin: AdminClient, wanted: frozenset[AclRight], users: Iterable[str]) -> None:
    """Create missing ACLs, delete those that no contract gives any more."""
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None,  # type: ignore[arg-type]  # = any
        AclOperation.ANY, AclPermissionType.ANY,
    )  # fmt: skip
    bindings = {_binding(right) for right in wanted}
    principals = {f"User:{user}" for user in users}
    existing = set(admin.describe_acls(everything, request_timeout=TIMEOUT_SECONDS).result())
    missing = bindings - existing
    stale = {binding for binding in existing - bindings if binding.principal in principals}
    if missing:
        _finish(admin.create_acls(sorted(missing)))
    if stale:
        _finish(admin.delete_acls([_exactly(binding) for binding in stale]))
    logger.info(
        "rights: %d granted, %d revoked, %d in total", len(missing), len(stale), len(bindings)
    )


def _binding(right: AclRight) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    return AclBinding(
        ResourceType[right.kind], right.name, pattern, f"User:{right.user}", "*",
        AclOperation[right.operation], AclPermissionType.ALLOW,
    )  # fmt: skip


def _exactly(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype, binding.name, binding.resource_pattern_type, binding.principal,
        binding.host, binding.operation, binding.permission_type,
    )  # fmt: skip


def _finish(futures: Mapping[Any, Future[Any]], already: int | None = None) -> None:
    for future in futures.values():
        try:
            future.result(TIMEOUT_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != already:
                raise


def passwords_from(environment: Mapping[str, str], users: Iterable[str]) -> dict[str, str]:
    """Read `KAFKA_<USER>_PASSWORD` of every user in the contracts."""
    found = {user: environment.get(f"KAFKA_{user.upper()}_PASSWORD", "") for user in users}
    for user, password in found.items():
        if reason := weakness_of(password):
            raise StackError(
                f"KAFKA_{user.upper()}_PASSWORD {reason}, so {user} gets no login; set it in .env"
            )
    return found


def main() -> int:
    """Set up the broker that the environment names, as its administrator."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = SetupSettings()
    admin = AdminClient(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "security.protocol": settings.security_protocol,
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": settings.username,
            "sasl.password": settings.password.get_secret_value(),
        }
    )
    topics = topic_contracts.read(ROOT / "contracts/topics")
    try:
        passwords = passwords_from(os.environ, topic_contracts.users(topics))
        set_up(admin, topics, passwords, flush_each_message=settings.flush_each_message)
    except (StackError, KafkaException) as error:
        logger.error("%s", error)  # noqa: TRY400  the message is enough without a traceback
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
