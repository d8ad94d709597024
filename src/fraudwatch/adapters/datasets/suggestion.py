"""Suggest a mapping to begin with, by the names of a file's columns and their values' form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from fraudwatch.adapters.datasets.sample import Sample, sample_of
from fraudwatch.adapters.datasets.suspicions import WORDS_FOR_NOTHING
from fraudwatch.domain.messages.purchase import LONGEST_SOURCE

# Words of names, the surest first; compared without case, spaces and signs.
_NAMES = {
    "id": ("transactionid", "transnum", "txid", "orderid", "paymentid", "beleg", "reference", "id"),
    "customer_id": (
        "customerid", "customer", "userid", "user", "clientid", "accountnumber", "account", "konto",
        "ccnum", "nameorig", "email", "who",
    ),
    "amount_minor": (
        "amount", "transactionamount", "transactionamt", "amt", "betrag", "purchasevalue", "total",
        "price", "value", "txamount",
    ),
    "currency": ("currency", "currencycode", "waehrung", "währung"),
    "merchant_id": (
        "merchantid", "merchantname", "merchant", "terminalid", "namedest", "shop", "händler",
        "haendler", "payee",
    ),
    "category": ("category", "productcategory", "mcc", "productcd", "type", "transactiontype"),
    "card_number": ("cardnumber", "ccnum", "pan", "card"),
    "device_id": ("deviceid", "device", "fingerprint"),
    "ip": ("ip", "ipaddress"),
    "email": ("email", "emailaddress", "mail"),
    "merchant_country": ("merchantcountry", "merchantcountrycode"),
    "billing_country": ("billingcountry", "country", "land"),
    "item_count": ("quantity", "itemcount", "items", "pieces"),
    "purchase_latitude": ("merchlat", "latitude"),
    "purchase_longitude": ("merchlong", "longitude"),
    "billing_latitude": ("lat",),
    "billing_longitude": ("long", "lon", "lng"),
}  # fmt: skip
_TIMES = (
    "timestamp", "datetime", "transdatetranstime", "eventtime", "transactiondate", "purchasetime",
    "transactiondatetime", "txdatetime", "date", "time", "unixtime", "transactiondt", "buchungstag",
    "datum", "created", "createdat", "creationdate", "step", "at", "day", "month",
)  # fmt: skip
_LABELS = ("isfraud", "fraud", "class", "fraudbool", "txfraud", "isfraudulent", "label", "target")
_LEAKS = ("fraud", "chargeback")
_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M",
    # Years of two digits first: as one of four digits, 24 would be in the first century.
    *(f"{day}{clock}"
      for day in ("%d.%m.%y", "%d.%m.%Y", "%d/%m/%y", "%d/%m/%Y", "%m/%d/%y", "%m/%d/%Y")
      for clock in (" %H:%M:%S", " %H:%M", "")),
    "%Y-%m-%d", "%Y%m%d",
)  # fmt: skip
_PATTERNS = {
    "card_number": r"^[0-9 -]{12,23}$",
    "ip": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$|:",
    "email": "@",
    "currency": r"^(?:[A-Z]{3}|[a-z]{3})$",
    "merchant_country": r"^[A-Z]{2}$",
    "billing_country": r"^[A-Z]{2}$",
    "item_count": r"^[0-9]+$",
    "purchase_latitude": r"^-?[0-9.,]+$",
    "purchase_longitude": r"^-?[0-9.,]+$",
    "billing_latitude": r"^-?[0-9.,]+$",
    "billing_longitude": r"^-?[0-9.,]+$",
    "amount_minor": r"[0-9]",
}
_OWN_ID = "{file_hash}-{row_number}"


def suggested(path: Path) -> str:
    """Return the text of a mapping for a file; it has names of columns, and no cell.

    Raises:
        UnreadableFile: no layout fits the file.
    """
    sample = sample_of(path)
    found = {field: name for field in _NAMES if (name := _column(sample, field))}
    time_name, time = _time(sample)
    labels = [name for name in sample.columns if _key(name) in _LABELS]
    barred = [n for n in sample.columns if n in labels or any(leak in _key(n) for leak in _LEAKS)]
    fields = {
        "source": _source(path),
        "id": f"{{{found['id']}}}" if "id" in found else _OWN_ID,
        "event_at_ms": f"{{{time_name}}}",
        "customer_id": f"{{{found['customer_id']}}}" if "customer_id" in found else _OWN_ID,
        "amount_minor": f"{{{found.get('amount_minor', 'AMOUNT')}}}",
        "currency": f"{{{found['currency']}}}" if "currency" in found else "EUR",
        "payment_status": "approved",
        "channel": "not_present",
        "merchant_id": _merchant(sample, found.get("merchant_id")),
    }
    used = {*found.values(), time_name}
    fields |= {f: f"{{{n}}}" for f, n in found.items() if f not in fields and n not in barred}
    document = {
        "about": f"Suggested for {path.name}; check every line.",
        **sample.layout,
        "never_read": barred,
        **_label(sample, labels),
        **_absent(sample, used),
        **({"absent_if_invalid": ["card_number"]} if "card_number" in fields else {}),
        "time": time,
        "amount": "major",
        **_numbers(sample.columns.get(found.get("amount_minor", ""), [])),
        "fields": fields,
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"# {line}\n" for line in _notes(found, time_name, time)) + text


def _notes(found: dict[str, str], time_name: str, time: dict[str, str]) -> list[str]:
    notes = [
        "A beginning: see contracts/datasets/README.md for every key, then run",
        "./fraudwatch replay FILE --mapping THIS --check",
    ]
    if time_name == "TIME":
        notes.append("No column looks like a time: name it in place of TIME, and its format.")
    elif "since" in time:
        notes.append(f"{time_name} counts: is its unit epoch, and when did it begin (since)?")
    if "amount_minor" not in found:
        notes.append("No column looks like an amount: name it in place of AMOUNT.")
    if "customer_id" not in found:
        notes.append("No column looks like a customer, so every row is one of its own.")
    assumed = [f for f in ("currency", "merchant_id") if f not in found]
    notes.append(f"Assumed: {', '.join([*assumed, 'payment_status', 'channel', 'time.zone'])}.")
    return notes


def _key(name: str) -> str:
    return re.sub(r"[^0-9a-zäöüß]", "", name.rsplit(".", 1)[-1].lower())


def _column(sample: Sample, field: str) -> str | None:
    by_key = {_key(name): name for name in reversed(sample.columns)}
    pattern = _PATTERNS.get(field, "")
    for key in _NAMES[field]:
        name = by_key.get(key)
        if name is None:
            continue
        values = [v for v in sample.columns[name] if v and v not in WORDS_FOR_NOTHING]
        if field == "card_number" and any(re.search(pattern, value) for value in values):
            return name
        if values and all(re.search(pattern, value) for value in values):
            return name
    return None


def _time(sample: Sample) -> tuple[str, dict[str, str]]:
    by_key = {_key(name): name for name in reversed(sample.columns)}
    counts = None
    for name in dict.fromkeys([*(by_key[k] for k in _TIMES if k in by_key), *sample.columns]):
        values = pl.Series([v for v in sample.columns[name] if v], dtype=pl.String)
        if not len(values):
            continue
        for text in _FORMATS:
            if not values.str.to_datetime(text, time_unit="us", strict=False).null_count():
                return name, {"zone": "UTC", "text": text}
        if counts is None and _key(name) in _TIMES and values.str.contains(r"^[0-9.e+]+$").all():
            counts = name, _count(values, _key(name))
    return counts or ("TIME", {"zone": "UTC", "text": "%Y-%m-%d %H:%M:%S"})


def _count(values: pl.Series, key: str) -> dict[str, str]:
    digits = len(values[0].split(".")[0])
    if (unit := {10: "s", 13: "ms", 16: "us", 19: "ns"}.get(digits)) is not None:
        return {"epoch": unit}
    unit = {"step": "h", "day": "d", "month": "d"}.get(key, "s")
    return {"epoch": unit, "since": "2020-01-01T00:00:00"}


def _label(sample: Sample, labels: list[str]) -> dict[str, Any]:
    for name in labels:
        words = set(sample.columns[name])
        for genuine, fraud in (("0", "1"), ("No", "Yes"), ("false", "true"), ("False", "True")):
            if words <= {genuine, fraud, ""}:
                return {"label": {"column": name, "fraud": [fraud], "genuine": [genuine]}}
    return {}


def _absent(sample: Sample, used: set[str]) -> dict[str, Any]:
    words = {
        name: [word for word in WORDS_FOR_NOTHING if word in set(sample.columns.get(name, []))]
        for name in sample.columns
        if name in used and not _key(name).endswith(("country", "countrycode", "land"))
    }
    absent = {name: found for name, found in words.items() if found}
    return {"absent": absent} if absent else {}


def _numbers(amounts: list[str]) -> dict[str, Any]:
    signs = sorted({sign for text in amounts for sign in re.findall(r"[^\s\d.,'()+-]+", text)})
    found: dict[str, Any] = {"currency_signs": signs} if signs else {}
    if 2 * sum("-" in text or text.startswith("(") for text in amounts) > len(amounts):
        found["negative"] = "flip"
    has_comma = any(re.search(r",\d{1,2}\D*$", text) for text in amounts)
    has_point = any(re.search(r"\.\d{1,2}\D*$", text) for text in amounts)
    if has_comma and not has_point:
        found["decimal"] = ","
    elif has_point and not has_comma:
        found["decimal"] = "."
        if any("," in text for text in amounts):
            found["grouping"] = ","
    return found


def _merchant(sample: Sample, name: str | None) -> str:
    if name is None:
        return "unknown"
    is_whole = not {"", *WORDS_FOR_NOTHING} & set(sample.columns[name])
    return f"{{{name}}}" if is_whole else f"{{{name}|'unknown'}}"


def _source(path: Path) -> str:
    name = re.sub(r"[^a-z0-9_-]+", "-", path.name.split(".")[0].lower()).strip("-")
    return name[:LONGEST_SOURCE].strip("-") or "file"
