"""Contract of account stores: memory twin and SQLite, under the same rules."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST

from fraudwatch.adapters.accounts.account_store import FILE_NAME, SqliteAccountStore
from fraudwatch.adapters.accounts.argon2_hasher import Argon2Hasher
from fraudwatch.adapters.memory.accounts import MemoryAccountStore
from fraudwatch.application.console.access import Person, Role
from fraudwatch.application.console.account_rules import (
    Account,
    AccountRefused,
    AccountsUnavailable,
)
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.application.console.sessions import LONGEST_SESSION_MS, LoginStore
from fraudwatch.domain.messages.audit import AuditAction

FIRST = {role: f"first-word-of-a-{role.value[::-1]}" for role in Role}
NOW_MS = 1_772_000_000_000


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LoginStore:
    return MemoryAccountStore() if request.param == "memory" else SqliteAccountStore(tmp_path / "c")


class AuditRecorder:
    def __init__(self) -> None:
        self.recorded: list[tuple[AuditAction, str]] = []
        self.fails = False

    def __call__(self, action: AuditAction, account: str) -> None:
        if self.fails:
            raise TimeoutError
        self.recorded.append((action, account))


@pytest.fixture
def recorder() -> AuditRecorder:
    return AuditRecorder()


@pytest.fixture
def actor(recorder: AuditRecorder) -> Actor:
    return Actor("admin", recorder)


@pytest.fixture
def accounts(store: LoginStore) -> Accounts:
    made = Accounts(store, Argon2Hasher(CHEAPEST), now_ms=lambda: NOW_MS)
    made.seed(FIRST)
    return made


def checked(accounts: Accounts, login: str, password: str) -> Account:
    found = accounts.check(login, password)
    assert found is not None
    return found


def test_the_first_start_makes_one_account_a_role(accounts: Accounts) -> None:
    assert [(one.login, one.role) for one in accounts.list_accounts()] == [
        ("admin", Role.ADMIN),
        ("analyst", Role.ANALYST),
        ("lead", Role.LEAD),
    ]
    for role, password in FIRST.items():
        assert checked(accounts, role.value, password).role is role


def test_a_later_start_overwrites_no_password_and_brings_no_account_back(
    accounts: Accounts, actor: Actor
) -> None:
    password = accounts.reset_password(actor, "analyst")
    accounts.close(actor, "lead")
    before = accounts.list_accounts()
    accounts.seed(FIRST)
    assert accounts.list_accounts() == before
    assert accounts.check("analyst", FIRST[Role.ANALYST]) is None
    assert accounts.check("analyst", password)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("analyst", "wrong"),
        ("analyst", ""),
        ("admin", FIRST[Role.ANALYST]),
        ("nobody", FIRST[Role.ANALYST]),
        ("", ""),
        ("analyst' OR 1=1 --", FIRST[Role.ANALYST]),
    ],
)
def test_a_wrong_login_is_refused(accounts: Accounts, login: str, password: str) -> None:
    assert accounts.check(login, password) is None


def test_a_created_account_logs_in_with_its_initial_password(
    accounts: Accounts, actor: Actor, recorder: AuditRecorder
) -> None:
    password = accounts.make(actor, "lina.m", Role.LEAD)
    made = checked(accounts, "lina.m", password)
    assert (made.role, made.changed_by, made.changed_at_ms) == (Role.LEAD, "admin", NOW_MS)
    assert recorder.recorded == [(AuditAction.ACCOUNT_MADE, "lina.m")]
    assert len(password.replace("-", "")) == 20
    assert accounts.make(actor, "other", Role.LEAD) != password


@pytest.mark.parametrize("login", ["", "a", "Lina", "1a", "a b", "a" * 33, "ä-b", "a\n", "a@b"])
def test_an_invalid_user_name_makes_no_account(
    accounts: Accounts, actor: Actor, login: str
) -> None:
    with pytest.raises(AccountRefused, match="2 to 32 characters"):
        accounts.make(actor, login, Role.ANALYST)
    assert len(accounts.list_accounts()) == 3


def test_an_existing_name_keeps_its_account(
    accounts: Accounts, actor: Actor, recorder: AuditRecorder
) -> None:
    with pytest.raises(AccountRefused, match="already"):
        accounts.make(actor, "lead", Role.ADMIN)
    assert checked(accounts, "lead", FIRST[Role.LEAD]).role is Role.LEAD
    assert recorder.recorded == []


def test_a_closed_account_neither_logs_in_nor_stays_in(accounts: Accounts, actor: Actor) -> None:
    since = checked(accounts, "analyst", FIRST[Role.ANALYST]).password_changes
    assert accounts.validate_session("analyst", since) == Person("analyst", Role.ANALYST)
    accounts.close(actor, "analyst")
    assert accounts.check("analyst", FIRST[Role.ANALYST]) is None
    assert accounts.validate_session("analyst", since) is None
    accounts.reopen(actor, "analyst")
    assert accounts.check("analyst", FIRST[Role.ANALYST])


def test_a_role_acts_at_once_and_a_reset_ends_what_was_open(
    accounts: Accounts, actor: Actor
) -> None:
    accounts.change_role(actor, "analyst", Role.LEAD)
    assert accounts.validate_session("analyst", 0) == Person("analyst", Role.LEAD)
    accounts.reset_password(actor, "analyst")
    assert accounts.validate_session("analyst", 0) is None
    assert accounts.validate_session("nobody", 0) is None


def test_the_last_open_admin_stays(
    accounts: Accounts, actor: Actor, recorder: AuditRecorder
) -> None:
    accounts.make(actor, "second", Role.ADMIN)
    accounts.close(actor, "second")
    recorder.recorded.clear()
    for change in (
        lambda: accounts.close(actor, "admin"),
        lambda: accounts.change_role(actor, "admin", Role.LEAD),
    ):
        with pytest.raises(AccountRefused, match="No open admin would be left"):
            change()
    assert recorder.recorded == []
    assert accounts.check("admin", FIRST[Role.ADMIN])
    accounts.reopen(actor, "second")
    accounts.close(actor, "admin")
    assert accounts.check("admin", FIRST[Role.ADMIN]) is None


def test_nothing_is_done_that_cannot_be_recorded(
    accounts: Accounts, actor: Actor, recorder: AuditRecorder
) -> None:
    before = accounts.list_accounts()
    recorder.fails = True
    for change in (
        lambda: accounts.make(actor, "lina", Role.LEAD),
        lambda: accounts.change_role(actor, "lead", Role.ADMIN),
        lambda: accounts.reset_password(actor, "lead"),
        lambda: accounts.close(actor, "lead"),
        lambda: accounts.reopen(actor, "lead"),
    ):
        with pytest.raises(TimeoutError):
            change()
    assert accounts.list_accounts() == before


def test_a_chosen_password_keeps_only_the_own_session(accounts: Accounts) -> None:
    mine = checked(accounts, "analyst", FIRST[Role.ANALYST])
    chosen = accounts.choose_password(mine, "three plain words")
    assert accounts.validate_session("analyst", mine.password_changes) is None
    assert accounts.validate_session("analyst", chosen.password_changes)
    assert accounts.check("analyst", "three plain words")
    assert accounts.check("analyst", FIRST[Role.ANALYST]) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "is empty"),
        ("elevenchars", "shorter than 12"),
        ("passwordpassword", "known default"),
        ("aaaabbbbaaaabbbb", "looks like an example"),
        ("my-Analyst-words", "contains your user name"),
        ("long-words" * 26, "longer than 256"),
    ],
)
def test_a_weak_choice_is_refused_with_the_reason_and_not_quoted(
    accounts: Accounts, password: str, reason: str
) -> None:
    mine = checked(accounts, "analyst", FIRST[Role.ANALYST])
    with pytest.raises(AccountRefused, match=reason) as refusal:
        accounts.choose_password(mine, password)
    assert not password or password not in str(refusal.value)
    assert accounts.check("analyst", FIRST[Role.ANALYST]) == mine


def test_a_reset_meanwhile_wins_over_a_choice(accounts: Accounts, actor: Actor) -> None:
    mine = checked(accounts, "analyst", FIRST[Role.ANALYST])
    accounts.reset_password(actor, "analyst")
    with pytest.raises(AccountRefused, match="meanwhile"):
        accounts.choose_password(mine, "three plain words")
    assert accounts.check("analyst", "three plain words") is None


def test_a_hash_of_older_parameters_is_renewed_by_a_login_that_ends_no_session(
    accounts: Accounts, store: LoginStore
) -> None:
    old = store.find("analyst")
    dearer = Argon2Hasher(replace(CHEAPEST, time_cost=2))
    Accounts(store, dearer, now_ms=lambda: NOW_MS).check("analyst", "wrong")
    assert store.find("analyst") == old
    checked(Accounts(store, dearer, now_ms=lambda: NOW_MS), "analyst", FIRST[Role.ANALYST])
    new = store.find("analyst")
    assert new is not None
    assert old is not None
    assert "t=2" in new.password_hash
    assert new.password_changes == old.password_changes
    assert accounts.check("analyst", FIRST[Role.ANALYST])


def test_concurrent_changes_are_serialised(accounts: Accounts, store: LoginStore) -> None:
    """Two admins who close each other: one of them stays, whatever the order."""
    accounts.make(Actor("x-test", lambda *_: None), "second", Role.ADMIN)
    both_ready = threading.Barrier(2)
    refused: list[AccountRefused] = []

    def close(login: str) -> None:
        both_ready.wait()
        try:
            accounts.close(Actor("x-test", lambda *_: None), login)
        except AccountRefused as error:
            refused.append(error)

    threads = [threading.Thread(target=close, args=(login,)) for login in ("admin", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert (
        len([one for one in store.list_accounts() if one.role is Role.ADMIN and one.is_open]) == 1
    )


def test_two_first_starts_at_once_make_one_set(store: LoginStore) -> None:
    hasher = Argon2Hasher(CHEAPEST)

    def seed() -> None:
        Accounts(store, hasher, now_ms=lambda: NOW_MS).seed(FIRST)

    threads = [threading.Thread(target=seed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.list_accounts()) == 3
    assert {one.password_changes for one in store.list_accounts()} == {0}


def test_no_account_shows_its_hash_when_it_is_printed(accounts: Accounts) -> None:
    assert "argon2" not in repr(accounts.list_accounts())


def test_sqlite_keeps_the_file_to_its_owner_and_no_password_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "console"
    folder.mkdir(mode=0o755)
    accounts = Accounts(SqliteAccountStore(folder), Argon2Hasher(CHEAPEST), lambda: NOW_MS)
    accounts.seed(FIRST)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"$argon2id$" in kept
    assert not [word for word in FIRST.values() if word.encode() in kept]


def test_sqlite_has_what_another_process_wrote(tmp_path: Path) -> None:
    first, second = SqliteAccountStore(tmp_path), SqliteAccountStore(tmp_path)
    Accounts(first, Argon2Hasher(CHEAPEST), lambda: NOW_MS).seed(FIRST)
    assert second.list_accounts() == first.list_accounts()


def test_a_lost_sqlite_file_is_unavailable_and_never_recreated(tmp_path: Path) -> None:
    store = SqliteAccountStore(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    for question in (
        store.list_accounts,
        lambda: store.find("admin"),
        lambda: store.write(nothing),
    ):
        with pytest.raises(AccountsUnavailable, match="cannot be read or written"):
            question()
    assert not (tmp_path / FILE_NAME).exists()


def test_sqlite_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"something else" * 100)
    with pytest.raises(AccountsUnavailable):
        SqliteAccountStore(tmp_path)


def test_sqlite_rolls_back_an_unfinished_change(tmp_path: Path) -> None:
    store = SqliteAccountStore(tmp_path)
    Accounts(store, Argon2Hasher(CHEAPEST), lambda: NOW_MS).seed(FIRST)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON account WHEN new.login = 'zoe' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    before = store.list_accounts()
    new = [
        Account(
            login=login, role=Role.LEAD, password_hash="x", changed_at_ms=NOW_MS, changed_by="t"
        )
        for login in ("yan", "zoe")
    ]
    with pytest.raises(AccountsUnavailable):
        store.write(lambda _known: new)
    assert store.list_accounts() == before


def nothing(_known: Mapping[str, Account]) -> list[Account]:
    return []


def test_a_session_ends_when_its_user_does_nothing(store: LoginStore) -> None:
    clock = [NOW_MS]
    accounts = Accounts(store, Argon2Hasher(CHEAPEST), lambda: clock[0], idle_ms=1_000)
    accounts.seed(FIRST)
    account = checked(accounts, "analyst", FIRST[Role.ANALYST])
    token = accounts.sessions.begin(account)
    clock[0] += 999
    assert accounts.sessions.extend(token)
    clock[0] += 999
    found = accounts.sessions.find(token)
    assert found is not None
    assert (found.login, found.active_at_ms) == ("analyst", NOW_MS + 999)
    clock[0] += 1
    assert accounts.sessions.find(token) is None
    assert not accounts.sessions.extend(token)


def test_a_session_ends_after_its_longest_time_however_active(store: LoginStore) -> None:
    clock = [NOW_MS]
    accounts = Accounts(store, Argon2Hasher(CHEAPEST), lambda: clock[0])
    accounts.seed(FIRST)
    token = accounts.sessions.begin(checked(accounts, "lead", FIRST[Role.LEAD]))
    while clock[0] + accounts.idle_ms // 2 < NOW_MS + LONGEST_SESSION_MS:
        clock[0] += accounts.idle_ms // 2
        assert accounts.sessions.extend(token)
    clock[0] = NOW_MS + LONGEST_SESSION_MS
    assert not accounts.sessions.extend(token)


def test_an_ended_session_is_not_brought_back_by_late_activity(store: LoginStore) -> None:
    accounts = Accounts(store, Argon2Hasher(CHEAPEST), lambda: NOW_MS)
    accounts.seed(FIRST)
    token = accounts.sessions.begin(checked(accounts, "lead", FIRST[Role.LEAD]))
    known = accounts.sessions.find(token)
    assert known is not None
    accounts.sessions.end(token)
    store.update_session(known)
    assert accounts.sessions.find(token) is None


def test_old_sessions_are_removed_when_another_begins(store: LoginStore) -> None:
    clock = [NOW_MS]
    accounts = Accounts(store, Argon2Hasher(CHEAPEST), lambda: clock[0], idle_ms=10**12)
    accounts.seed(FIRST)
    account = checked(accounts, "lead", FIRST[Role.LEAD])
    old = accounts.sessions.begin(account)
    known = accounts.sessions.find(old)
    assert known is not None
    clock[0] += LONGEST_SESSION_MS + 1
    accounts.sessions.begin(account)
    assert store.find_session(known.token_sha256) is None


def test_the_token_of_a_session_is_not_in_its_file(tmp_path: Path) -> None:
    store = SqliteAccountStore(tmp_path)
    accounts = Accounts(store, Argon2Hasher(CHEAPEST), lambda: NOW_MS)
    accounts.seed(FIRST)
    token = accounts.sessions.begin(checked(accounts, "lead", FIRST[Role.LEAD]))
    assert token.encode() not in (tmp_path / FILE_NAME).read_bytes()
