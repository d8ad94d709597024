"""Define the states of a webhook's event, and the reasons why an attempt fails."""

from __future__ import annotations

import enum


class EventState(enum.StrEnum):
    """State of an event in the outbox."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class FailureReason(enum.StrEnum):
    """Reason why an attempt failed, or why an event was given up without one."""

    ADDRESS_REFUSED = "address_refused"  # the name's address is not public
    NAME_UNRESOLVED = "name_unresolved"
    CONNECTION = "connection"  # not established, or broken; TLS included
    TIMEOUT = "timeout"
    REDIRECT = "redirect"  # never followed
    CLIENT_ERROR = "client_error"  # 4xx
    SERVER_ERROR = "server_error"  # 5xx
    UNSIGNED = "unsigned"  # no valid signing secret
    TOO_OLD = "too_old"  # its client failed all the time
