from __future__ import annotations

import statistics
import time

import argon2
import pytest
from argon2.profiles import CHEAPEST

from fraudwatch.adapters.accounts.argon2_hasher import Argon2Hasher

CHEAP = Argon2Hasher(CHEAPEST)


def test_it_is_argon2id_with_the_low_memory_parameters_of_the_rfc() -> None:
    kept = Argon2Hasher().hash("three plain words")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_matches_its_hash_alone() -> None:
    kept = CHEAP.hash("three plain words")
    assert CHEAP.matches("three plain words", kept)
    assert not CHEAP.matches("Three plain words", kept)
    assert CHEAP.hash("three plain words") != kept


@pytest.mark.parametrize("password", ["", "\0", "ünicode", "x" * 256])
def test_any_text_can_be_hashed_and_no_account_never_matches(password: str) -> None:
    assert CHEAP.matches(password, CHEAP.hash(password))
    assert not CHEAP.matches(password, None)


def test_an_unknown_account_takes_as_long_as_a_wrong_password() -> None:
    hasher = Argon2Hasher(argon2.Parameters(argon2.Type.ID, 19, 16, 32, 2, 8192, 1))
    kept = hasher.hash("three plain words")

    def took(password_hash: str | None) -> float:
        began = time.process_time()
        hasher.matches("wrong", password_hash)
        return time.process_time() - began

    pairs = [(took(kept), took(None)) for _ in range(15)]
    wrong, without_account = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.6 < without_account / wrong < 1.6


def test_an_invalid_hash_never_matches_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert not CHEAP.matches("anything", "not a hash")
    assert "its account cannot log in" in caplog.text
    assert "anything" not in caplog.text


def test_a_hash_of_other_parameters_is_outdated() -> None:
    assert not CHEAP.is_outdated(CHEAP.hash("three plain words"))
    assert Argon2Hasher().is_outdated(CHEAP.hash("three plain words"))
