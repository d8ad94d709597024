from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.policy_file import parse_lists, parse_policy, parse_rules
from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
from fraudwatch.adapters.artefacts.policy_seed import new_default, seed_policy, used_contents
from fraudwatch.application.policy.versions import Origin
from fraudwatch.domain.policy.list_document import NO_LISTS_DOCUMENT, ListKind, ListName
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.samples import NOON_MS, a_token
from fraudwatch.stack.home import ROOT

DEFAULT = (ROOT / "contracts/policies/default.yaml").read_bytes()
BEFORE = DEFAULT.replace(b"alerts_a_day: 60", b"alerts_a_day: 33").replace(
    b"deny_points: 100\n",
    b"lists:\n  # of the shop\n  deny: {points: 70, card_token: [%b]}\n"
    b"  allow: {merchant_country: ['NO']}\n" % a_token("c").encode(),
)


@pytest.fixture
def folder(tmp_path: Path) -> PolicyFolder:
    return PolicyFolder(tmp_path / "policy")


def seeded(folder: PolicyFolder, default: bytes = DEFAULT) -> bool:
    detector = folder.folder.with_name("detector")
    return seed_policy(folder, default, detector, NOON_MS) is not None


def used_before(folder: PolicyFolder, content: bytes) -> None:
    journal = folder.folder.with_name("detector") / "policies"
    journal.mkdir(parents=True)
    sha256 = hashlib.sha256(content).hexdigest()
    (journal / f"{sha256}.yaml").write_bytes(content)
    entry = {"first_batch_id": 0, "sha256": sha256}
    (journal / "used.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")


def test_a_new_home_gets_the_shipped_default_once(folder: PolicyFolder) -> None:
    assert seeded(folder)
    assert folder.live() == (DEFAULT, NO_LISTS_DOCUMENT)
    [version] = folder.history()
    assert (version.origin, version.version) == (Origin.SEEDED, parse_rules(DEFAULT).version)
    folder.policy_path.write_bytes(BEFORE)
    assert not seeded(folder)
    assert folder.live().policy == BEFORE


def test_a_home_of_before_keeps_its_policy_and_its_lists_become_a_file(
    folder: PolicyFolder,
) -> None:
    used_before(folder, BEFORE)
    assert seeded(folder)
    policy, lists = folder.live()
    assert b"lists:" not in policy
    then, now = parse_policy(BEFORE), parse_rules(policy, lists)
    assert now.review == then.review
    assert {rule.name: rule for rule in now.rules} == {rule.name: rule for rule in then.rules}
    assert (now.allow, now.floors) == (then.allow, then.floors)
    assert [(one.name, one.kind, one.value) for one in parse_lists(lists).entries] == [
        (ListName.DENY, ListKind.CARD, a_token("c")),
        (ListName.ALLOW, ListKind.COUNTRY, "NO"),
    ]


def test_comments_stay_where_no_value_moves_into_the_policy(folder: PolicyFolder) -> None:
    used_before(folder, BEFORE.replace(b"points: 70", b"points: 100"))
    assert seeded(folder)
    assert b"# A rule that is left out is off." in folder.live().policy


def test_a_policy_of_before_that_cannot_be_used_gives_way_to_the_default(
    folder: PolicyFolder,
) -> None:
    used_before(folder, b"version: [")
    assert seeded(folder)
    assert folder.live().policy == DEFAULT


def test_another_shipped_default_is_reported_once(folder: PolicyFolder) -> None:
    changed = DEFAULT + b"# new\n"
    assert not new_default(folder, changed)  # a home that has no policy yet
    seeded(folder)
    assert not new_default(folder, DEFAULT)
    assert new_default(folder, changed)
    assert not new_default(folder, changed)
    assert folder.live().policy == DEFAULT


def test_only_the_newest_promoted_content_is_accepted_where_hand_edits_are_off(
    folder: PolicyFolder,
) -> None:
    seeded(folder)
    folder.refuse_unpromoted(DEFAULT)
    folder.refuse_unpromoted(NO_LISTS_DOCUMENT)
    with pytest.raises(BrokenPolicy, match="was edited by hand"):
        folder.refuse_unpromoted(DEFAULT + b"# by hand\n")


def test_the_journals_of_the_detector_name_what_it_used(folder: PolicyFolder) -> None:
    used_before(folder, BEFORE)
    [one] = used_contents(folder.folder.with_name("detector"))
    assert (one.read(), one.is_lists) == (BEFORE, False)
    assert one.sha256 == hashlib.sha256(BEFORE).hexdigest()
