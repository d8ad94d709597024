from __future__ import annotations

import uuid

from hypothesis import example, given
from hypothesis import strategies as st

from fraudwatch.domain.messages.verdict import verdict_id_of

# Written out, not imported: to change it would give every old verdict a second id.
NAMESPACE = uuid.UUID("7f1c9c3e-6d0a-5a7e-9a43-0c6a2f5f8f11")
# An id is text from JSON: anything that UTF-8 can encode.
ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(ids)
@example("")
@example("shop:1")
@example("größe:\U0001f6d2")
def test_a_verdict_id_is_the_uuid5_of_its_transaction(transaction_id: str) -> None:
    assert verdict_id_of(transaction_id) == str(uuid.uuid5(NAMESPACE, transaction_id))


def test_every_variant_digit_occurs() -> None:
    # The fast way maps one hexadecimal digit by hand: all sixteen that SHA-1 can put there.
    ids = [f"shop:{n}" for n in range(500)]
    met = {uuid.uuid5(NAMESPACE, one).hex[16] for one in ids}
    assert met == {"8", "9", "a", "b"}
    assert [verdict_id_of(one) for one in ids] == [str(uuid.uuid5(NAMESPACE, x)) for x in ids]


def test_the_id_of_a_known_transaction_never_changes() -> None:
    assert verdict_id_of("shop:1") == "4967114f-606f-5dea-bca4-7361e92d6732"
