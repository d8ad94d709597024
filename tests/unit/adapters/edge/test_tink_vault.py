from __future__ import annotations

import base64
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fraudwatch.adapters.durable_file import create_file
from fraudwatch.adapters.edge.keysets import (
    PRIVATE_DEAD_LETTER_KEY,
    PUBLIC_DEAD_LETTER_KEY,
    create_dead_letter_keys,
    dead_letter_sealer,
)
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.domain.messages.transaction import TOKEN_PATTERN
from fraudwatch.domain.privacy import TokenField
from fraudwatch.samples import a_token

ANNA, BERTA = a_token("a"), a_token("b")


def test_tokens_are_stable_separated_by_field_and_well_formed(tmp_path: Path) -> None:
    vault = TinkVault(tmp_path)
    token = vault.token(TokenField.CARD, "4111111111111111")
    assert re.fullmatch(TOKEN_PATTERN, token)
    assert TinkVault(tmp_path).token(TokenField.CARD, "4111111111111111") == token
    assert vault.token(TokenField.DEVICE, "4111111111111111") != token
    assert vault.token(TokenField.CARD, "4111111111111112") != token


def test_another_installation_has_other_tokens(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = TinkVault(tmp_path), TinkVault(tmp_path / "other")
    assert one.token(TokenField.IP, "192.0.2.1") != other.token(TokenField.IP, "192.0.2.1")


def test_sealed_fields_open_after_a_restart_and_are_never_equal(tmp_path: Path) -> None:
    vault = TinkVault(tmp_path)
    boxes = {vault.seal(ANNA, "shop:1", {"name": "Anna"}) for _ in range(3)}
    assert len(boxes) == 3
    reopened = TinkVault(tmp_path)
    assert all(reopened.open(ANNA, "shop:1", sealed) == {"name": "Anna"} for sealed in boxes)


def test_sealed_fields_are_bound_to_transaction_and_customer(tmp_path: Path) -> None:
    vault = TinkVault(tmp_path)
    sealed = vault.seal(ANNA, "shop:1", {"name": "Anna"})
    vault.seal(BERTA, "shop:2", {"name": "Berta"})
    altered = bytearray(base64.b64decode(sealed))
    altered[-1] ^= 1
    for customer, transaction, ciphertext in (
        (ANNA, "shop:2", sealed),
        (BERTA, "shop:1", sealed),
        (ANNA, "shop:1", base64.b64encode(altered).decode()),
    ):
        with pytest.raises(ValueError, match="do not open"):
            vault.open(customer, transaction, ciphertext)


def test_erasure_destroys_the_key_on_disk_and_only_that_one(tmp_path: Path) -> None:
    vault = TinkVault(tmp_path)
    anna, berta = vault.seal(ANNA, "shop:1", {"n": "A"}), vault.seal(BERTA, "shop:2", {"n": "B"})
    assert vault.erase(ANNA)
    assert not vault.erase(ANNA)
    for reader in (vault, TinkVault(tmp_path)):
        with pytest.raises(KeyError):
            reader.open(ANNA, "shop:1", anna)
        assert reader.open(BERTA, "shop:2", berta) == {"n": "B"}
    store = b"".join(path.read_bytes() for path in tmp_path.glob("customers.sqlite3*"))
    assert ANNA.encode() not in store
    assert BERTA.encode() in store


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    TinkVault(tmp_path)
    create_dead_letter_keys(tmp_path)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


def test_a_dead_letter_is_sealed_with_the_public_half_alone(tmp_path: Path) -> None:
    create_dead_letter_keys(tmp_path)
    public = (tmp_path / PUBLIC_DEAD_LETTER_KEY).read_text()
    assert "HpkePublicKey" in public
    sealed = dead_letter_sealer(tmp_path / PUBLIC_DEAD_LETTER_KEY).encrypt(b"garbage", b"feed:1")
    assert b"garbage" not in sealed
    before = (tmp_path / PRIVATE_DEAD_LETTER_KEY).read_text()
    create_dead_letter_keys(tmp_path)
    assert (tmp_path / PRIVATE_DEAD_LETTER_KEY).read_text() == before


SEALING = """
import sys
from pathlib import Path
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.domain.privacy import TokenField

folder, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
vault = TinkVault(folder)
for number in range(60):
    token = vault.token(TokenField.CUSTOMER, f"shop:customer-{number}")
    print(token, vault.seal(token, f"shop:{name}-{number}", {"name": f"{number}"}), flush=True)
"""


def test_two_processes_that_create_keys_at_once_share_them(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SEALING, str(tmp_path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("ingest", "extract")
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120)[0].splitlines() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    vault = TinkVault(tmp_path)
    for name, lines in zip(("ingest", "extract"), outputs, strict=True):
        assert len(lines) == 60
        for number, line in enumerate(lines):
            token, sealed = line.split()
            assert vault.open(token, f"shop:{name}-{number}", sealed) == {"name": str(number)}
    assert [line.split()[0] for line in outputs[0]] == [line.split()[0] for line in outputs[1]]


def test_a_file_is_created_by_the_first_only(tmp_path: Path) -> None:
    assert create_file(tmp_path / "a", b"first")
    assert not create_file(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
