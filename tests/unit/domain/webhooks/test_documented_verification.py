"""The example of docs/webhooks.md accepts what is signed, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import ModelScore
from fraudwatch.domain.webhooks.events import decision_event, verdict_event
from fraudwatch.domain.webhooks.signature import secret_text, signature_headers
from fraudwatch.samples import NOON_MS, a_verdict

PAGE = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECRET, OTHER = secret_text(b"a" * 32), secret_text(b"b" * 32)
NOW = NOON_MS // 1_000
BODY = b'{"type":"verdict"}'


@pytest.fixture(scope="module")
def verify() -> Callable[..., str]:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/webhooks.md", "exec"), names)  # noqa: S102  it is what is tested
    found: Callable[..., str] = names["verify"]
    return found


def test_the_example_accepts_a_signed_event(verify: Callable[..., str]) -> None:
    headers = signature_headers([SECRET], "w-1", NOW, BODY)
    assert verify(SECRET, headers, BODY, NOW + 299) == "w-1"


def test_the_example_accepts_both_secrets_of_a_rotation(verify: Callable[..., str]) -> None:
    headers = signature_headers([OTHER, SECRET], "w-1", NOW, BODY)
    assert verify(SECRET, headers, BODY, NOW) == verify(OTHER, headers, BODY, NOW) == "w-1"


@pytest.mark.parametrize("what", ["body", "id", "timestamp", "secret", "signature", "age"])
def test_the_example_refuses_what_was_changed(verify: Callable[..., str], what: str) -> None:
    headers = signature_headers([OTHER if what == "secret" else SECRET], "w-1", NOW, BODY)
    body, now = BODY, NOW
    match what:
        case "body":
            body = BODY + b" "
        case "id":
            headers["webhook-id"] = "w-2"
        case "timestamp":
            headers["webhook-timestamp"] = str(NOW + 1)
        case "signature":
            headers["webhook-signature"] = "v1,"
        case "age":
            now = NOW + 301
    with pytest.raises(ValueError, match=r"secret|old"):
        verify(SECRET, headers, body, now)


def test_the_documented_events_have_the_fields_of_real_ones() -> None:
    [block] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    verdict, decision = (json.loads(one) for one in re.split(r"\n(?=\{)", block.strip()))
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id="shop:1",
        verdict=LabelValue.FRAUD,
        source=Source.ANALYST,
        by="lina",
        known_at_ms=NOON_MS,
    )
    scored = a_verdict(model_scores=(ModelScore("fraud", "0a1b2c3d4e5f", 0.5),))
    for documented, event in (
        (verdict, verdict_event(scored, NOON_MS)),
        (decision, decision_event(label, NOON_MS)),
    ):
        assert event is not None
        real = json.loads(encode(event.body))
        assert documented.keys() == real.keys()
        assert documented["data"].keys() == real["data"].keys()
        assert documented["type"] == real["type"]
    real_verdict = verdict_event(scored, NOON_MS)
    assert real_verdict is not None
    data = json.loads(encode(real_verdict.body))["data"]
    assert data["models"][0].keys() == verdict["data"]["models"][0].keys()
    assert data["reasons"][0].keys() == verdict["data"]["reasons"][0].keys()
