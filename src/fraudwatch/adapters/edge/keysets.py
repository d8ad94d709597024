"""Tink keysets in private files, and sealing and opening of dead letters."""

from __future__ import annotations

from pathlib import Path

import tink
from tink import hybrid, secret_key_access

from fraudwatch.adapters.durable_file import create_file, replace_file

PRIVATE_DEAD_LETTER_KEY = "dead_letter_private.json"
PUBLIC_DEAD_LETTER_KEY = "dead_letter_public.json"


def load_or_create_keyset(path: Path, template: object) -> tink.KeysetHandle:
    """Load the keyset in ``path``; a new one is durable in the file before it is used.

    If two processes create it at once, both use that of the first.
    """
    if not path.exists():
        handle = tink.new_keyset_handle(template)
        text = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
        create_file(path, text.encode())
    return tink.json_proto_keyset_format.parse(path.read_text(), secret_key_access.TOKEN)


def create_dead_letter_keys(folder: Path) -> None:
    """Create the key pair once: any process may seal dead letters, the private half opens them."""
    hybrid.register()
    private = load_or_create_keyset(
        folder / PRIVATE_DEAD_LETTER_KEY,
        hybrid.hybrid_key_templates.DHKEM_X25519_HKDF_SHA256_HKDF_SHA256_AES_256_GCM,
    )
    public = private.public_keyset_handle()
    write_durably(
        folder / PUBLIC_DEAD_LETTER_KEY,
        tink.json_proto_keyset_format.serialize_without_secret(public),
    )


def dead_letter_sealer(public_key: Path) -> hybrid.HybridEncrypt:
    """Load the public key that seals a dead letter's payload, with its origin as context."""
    hybrid.register()
    handle = tink.json_proto_keyset_format.parse_without_secret(public_key.read_text())
    return handle.primitive(hybrid.HybridEncrypt)


def dead_letter_opener(private_key: Path) -> hybrid.HybridDecrypt:
    """Load the private key that opens dead letters, for the operator's command only."""
    hybrid.register()
    text = private_key.read_text()
    handle = tink.json_proto_keyset_format.parse(text, secret_key_access.TOKEN)
    return handle.primitive(hybrid.HybridDecrypt)


def write_durably(path: Path, text: str) -> None:
    """Replace a file, readable by its owner only, durably on disk before this returns."""
    replace_file(path, text.encode())
