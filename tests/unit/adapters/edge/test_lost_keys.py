from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.edge.lost_keys import (
    CUSTOMER_KEYS,
    MASTER_KEYS,
    TOKEN_KEYS,
    KeysLost,
    refuse_lost_keys,
)
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.samples import a_token


def used_vault(folder: Path) -> None:
    TinkVault(folder).seal(a_token("a"), "shop:1", {"name": "Anna"})


@pytest.mark.parametrize("left", [(MASTER_KEYS,), (CUSTOMER_KEYS,), (MASTER_KEYS, CUSTOMER_KEYS)])
def test_a_lost_token_key_beside_later_keys_is_refused_and_not_replaced(
    tmp_path: Path, left: tuple[str, ...]
) -> None:
    used_vault(tmp_path)
    for name in {TOKEN_KEYS, MASTER_KEYS, CUSTOMER_KEYS} - {*left}:
        (tmp_path / name).unlink()
    with pytest.raises(KeysLost, match=r"token\.json is missing, but .* put token\.json back"):
        TinkVault(tmp_path)
    assert not (tmp_path / TOKEN_KEYS).exists()


def test_with_the_file_back_in_place_tokens_are_the_same(tmp_path: Path) -> None:
    used_vault(tmp_path)
    (tmp_path / TOKEN_KEYS).rename(tmp_path / "elsewhere")
    with pytest.raises(KeysLost):
        TinkVault(tmp_path)
    (tmp_path / "elsewhere").rename(tmp_path / TOKEN_KEYS)
    TinkVault(tmp_path)


def test_a_lost_master_key_is_refused_where_customers_have_keys(tmp_path: Path) -> None:
    TinkVault(tmp_path)
    (tmp_path / MASTER_KEYS).unlink()
    TinkVault(tmp_path)  # no customer yet, as after a kill in the middle of the first start
    used_vault(tmp_path)
    (tmp_path / MASTER_KEYS).unlink()
    with pytest.raises(KeysLost, match=r"put master\.json back"):
        TinkVault(tmp_path)
    assert not (tmp_path / MASTER_KEYS).exists()


def test_data_outside_the_folder_are_asked_for_only_without_the_token_key(tmp_path: Path) -> None:
    refuse_lost_keys(tmp_path, lambda: None)
    with pytest.raises(KeysLost, match="but the log has taken 7: nothing was started"):
        refuse_lost_keys(tmp_path, lambda: None, lambda: "the log has taken 7")
    used_vault(tmp_path)

    def unneeded() -> str | None:
        raise AssertionError

    refuse_lost_keys(tmp_path, unneeded)


def test_keys_that_another_process_creates_meanwhile_are_not_lost(tmp_path: Path) -> None:
    def created() -> str | None:
        used_vault(tmp_path)
        return "the other's data are there"

    refuse_lost_keys(tmp_path, created)
