"""A name has one normal form, and shares a block with its misspelt forms."""

from __future__ import annotations

import pytest

from fraudwatch.domain.messages.transaction import WatchListCountry
from fraudwatch.domain.watch_lists import blocks_of, compared, normal_form


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Grimwald Quastelbrook", "grimwald quastelbrook"),
        ("QUASTELBROOK, Grimwald", "grimwald quastelbrook"),
        ("Zébulon Łukrøst-Fjørn", "fjorn lukrost zebulon"),
        ("Brontë O'Weißbart", "bronte oweissbart"),
        ("Pfeffernase Trading Ltd.", "pfeffernase trading"),
        ("S.A.", "a s"),
        ("AG", "ag"),
        ("Оддвинья Кратцебум", "кратцебум оддвинья"),
        ("--", ""),
    ],
)
def test_case_accents_order_and_legal_forms_do_not_count(name: str, normal: str) -> None:
    assert normal_form(name) == normal


def test_blocks_are_prefixes_of_two_words() -> None:
    assert list(blocks_of("grimwald quastelbrook")) == ["gri q", "qua g"]
    assert list(blocks_of("teaspoons")) == ["tea"]
    assert list(blocks_of("")) == []
    assert len(list(blocks_of("a b c d e f g h i j"))) == 6 * 5


@pytest.mark.parametrize("misspelt", ["grimwald qastelbrook", "grymwald quastelbrook"])
def test_a_misspelt_word_is_found_by_the_other(misspelt: str) -> None:
    assert set(blocks_of("grimwald quastelbrook")) & set(blocks_of(misspelt))


def test_countries_are_compared_where_both_are_known() -> None:
    assert compared({"DE", "FR"}, {"FR"}) is WatchListCountry.SAME
    assert compared({"DE"}, {"FR"}) is WatchListCountry.OTHER
    assert compared(set(), {"FR"}) is None
    assert compared({"DE"}, set()) is None
