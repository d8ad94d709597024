"""The shipped mappings on made-up rows in the shape of the public files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.labels import labels_of
from fraudwatch.adapters.datasets.mapping import load_mapping
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase

SHIPPED = Path(__file__).parents[4] / "contracts" / "datasets"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SPARKOV_HEADER = (
    ",trans_date_trans_time,cc_num,merchant,category,amt,first,last,gender,street,city,state,zip,"
    "lat,long,city_pop,job,dob,trans_num,unix_time,merch_lat,merch_long,is_fraud\n"
)
ULB_HEADER = ",".join(f'"{name}"' for name in ["Time", "V1", "V2", "Amount", "Class"])
BAF_HEADER = (
    "fraud_bool,income,payment_type,proposed_credit_limit,source,device_os,device_fraud_count,month"
)


def purchases_of(
    mapping_name: str, tmp_path: Path, text: str, **others: str
) -> tuple[DatasetFile, list[dict[str, Any]]]:
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    for name, content in others.items():
        (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
    mapping = load_mapping(SHIPPED / f"{mapping_name}.yaml")
    dataset = DatasetFile(path, mapping)
    assert dataset.rows_without_time == []
    [batch] = dataset.batches(0, 1000)
    assert batch.bad == []
    items = [{k: v for k, v in json.loads(body).items() if v is not None} for body in batch.bodies]
    for item in items:
        kinds = {
            "channel": Channel(item["channel"]),
            "payment_status": PaymentStatus(item["payment_status"]),
        }
        assert problems(Purchase(**(item | kinds))) == []
    assert mapping.label is not None
    assert labels_of(path, mapping.label, mapping).to_list()[:2] == [False, True]
    return dataset, items


def test_ulb_seconds_count_from_a_stated_day(tmp_path: Path) -> None:
    rows = f'{ULB_HEADER}\n0,-1.35,-0.07,149.62,"0"\n1e+05,1.19,0.26,2.69,"1"\n'
    _, [first, second] = purchases_of("ulb_creditcard", tmp_path, rows)
    assert (first["event_at_ms"], first["amount_minor"]) == (1_377_993_600_000, 14962)
    assert second["event_at_ms"] - first["event_at_ms"] == 100_000_000
    assert first["customer_id"] != second["customer_id"]


def test_paysim_hours_count_from_a_stated_day(tmp_path: Path) -> None:
    rows = (
        "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,"
        "newbalanceDest,isFraud,isFlaggedFraud\n"
        "1,PAYMENT,9839.64,C12,170136.0,160296.36,M19,0.0,0.0,0,0\n"
        "743,CASH_OUT,181.0,C84,181.0,0.0,C38,21182.0,0.0,1,0\n"
    )
    _, [first, second] = purchases_of("paysim", tmp_path, rows)
    assert first["event_at_ms"] == 1_483_228_800_000 + HOUR_MS
    assert second["event_at_ms"] - first["event_at_ms"] == 742 * HOUR_MS
    assert [one["channel"] for one in (first, second)] == ["not_present", "present"]
    assert (first["customer_id"], first["merchant_id"], first["amount_minor"]) == (
        "C12",
        "M19",
        983964,
    )


def test_banksim_is_quoted_by_apostrophes_and_counts_days(tmp_path: Path) -> None:
    rows = (
        "step,customer,age,gender,zipcodeOri,merchant,zipMerchant,category,amount,fraud\n"
        "0,'C10','4','M','28007','M34','28007','es_transportation',4.55,0\n"
        "179,'C35','2','M','28007','M18','28007','es_health',39.68,1\n"
    )
    _, [first, second] = purchases_of("banksim", tmp_path, rows)
    assert (first["customer_id"], first["category"]) == ("C10", "es_transportation")
    assert first["event_at_ms"] == 1_351_724_400_000  # midnight in Madrid
    assert second["event_at_ms"] - first["event_at_ms"] == 179 * DAY_MS


def test_ieee_cis_joins_the_identities_that_there_are(tmp_path: Path) -> None:
    rows = (
        "TransactionID,isFraud,TransactionDT,TransactionAmt,ProductCD,card1,card2,card3,card4,"
        "card5,card6,addr1,addr2\n"
        "2987000,0,86400,68.5,W,13926,,150.0,discover,142.0,credit,315.0,87.0\n"
        "2987001,1,86401,37.098,C,2755,404.0,150.0,mastercard,102.0,credit,,\n"
    )
    identities = "TransactionID,id_01,DeviceType,DeviceInfo\n2987001,0.0,mobile,SAMSUNG\n"
    _, [first, second] = purchases_of("ieee_cis", tmp_path, rows, train_identity=identities)
    assert first["customer_id"] == "13926-none-150.0-142.0-315.0"
    assert [one["category"] for one in (first, second)] == ["W-unknown", "C-mobile"]
    assert [one["amount_minor"] for one in (first, second)] == [6850, 3710]
    assert first["event_at_ms"] == 1_512_086_400_000 + DAY_MS


def test_ibm_dates_are_in_parts_and_amounts_have_signs(tmp_path: Path) -> None:
    rows = (
        "User,Card,Year,Month,Day,Time,Amount,Use Chip,Merchant Name,Merchant City,Merchant State,"
        "Zip,MCC,Errors?,Is Fraud?\n"
        "0,0,2002,9,1,06:21,$134.09,Swipe Transaction,3527213246127876953,La Verne,CA,91750.0,"
        "5300,,No\n"
        '0,1,2015,11,12,17:05,$1.20,Online Transaction,-727612092139916043, ONLINE,,,5411,"Bad'
        ' PIN,",Yes\n'
        "0,0,2002,9,2,06:00,$-99.00,Swipe Transaction,352,La Verne,CA,91750.0,5300,,No\n"
        "0,0,1999,9,2,06:00,$99.00,Swipe Transaction,352,La Verne,CA,91750.0,5300,,No\n"
    )
    dataset, [first, second] = purchases_of("ibm_card_transactions", tmp_path, rows)
    assert dataset.left_out == 2
    assert (first["event_at_ms"], first["amount_minor"]) == (1_030_861_260_000, 13409)
    assert [one["payment_status"] for one in (first, second)] == ["approved", "declined"]
    assert [one["channel"] for one in (first, second)] == ["present", "not_present"]
    assert second["merchant_id"] == "-727612092139916043"


def test_kaggles_sparkov_has_card_numbers_that_are_none(tmp_path: Path) -> None:
    rows = SPARKOV_HEADER + (
        '0,2019-01-01 00:00:18,3703186189652011,"fraud_Abbot, Kerr",misc_net,4.97,Jane,Doe,F,1 Elm,'
        'Springfield,NC,28654,36.0788,-81.1781,3495,"Psychologist, a",1988-03-09,0b24,1325376018,'
        "36.011293,-82.048315,0\n"
        "1,2019-01-01 00:03:06,60416000005,fraud_Heller,grocery_pos,107.23,Joan,Roe,F,4 Oak,Orient,"
        "WA,99160,48.8878,-118.2105,149,Teacher,1978-06-21,1f76,1325376186,49.15,-118.18,1\n"
    )
    dataset, [first, second] = purchases_of("kaggle_sparkov", tmp_path, rows)
    assert first["card_number"] == "3703186189652011"
    assert "card_number" not in second
    assert second["customer_id"] == "60416000005"
    assert dataset.made_absent == {"card_number": 1}


def test_baf_has_months_only(tmp_path: Path) -> None:
    rows = f"{BAF_HEADER}\n0,0.9,AA,200.0,INTERNET,windows,0,0\n1,0.3,AB,1500.0,TELEAPP,other,1,7\n"
    _, [first, second] = purchases_of("baf", tmp_path, rows)
    assert second["event_at_ms"] - first["event_at_ms"] == 210 * DAY_MS
    assert [one["merchant_id"] for one in (first, second)] == ["bank-INTERNET", "bank-TELEAPP"]
    assert second["amount_minor"] == 150_000


def test_ecommerce_transactions(tmp_path: Path) -> None:
    rows = (
        "Transaction ID,Customer ID,Transaction Amount,Transaction Date,Payment Method,Product"
        " Category,Quantity,Customer Age,Customer Location,Device Used,IP Address,Shipping"
        " Address,Billing Address,Is Fraudulent,Account Age Days,Transaction Hour\n"
        "15d2e414-8735-46fc-9e02-80b472b2580f,d1b87f62-51b2-493b-ad6a-77e0fe13e785,58.09,2024-02-20"
        ' 05:58:41,bank transfer,electronics,1,17,Amandaborough,tablet,203.0.113.9,"1 Elm\nCove,'
        ' CA","1 Elm\nCove, CA",0,30,5\n'
        "0bfee1a0-6d5e-40da-a446-d04e73b1b177,37de64d5-e901-4a56-9ea0-af0c24c069cf,389.96,"
        "2024-02-25 08:09:45,debit card,"
        "electronics,2,40,East Timothy,desktop,203.0.113.7,2 Oak,2 Oak,1,72,8\n"
    )
    _, [first, second] = purchases_of("ecommerce_transactions", tmp_path, rows)
    assert (first["ip"], first["item_count"], second["amount_minor"]) == ("203.0.113.9", 1, 38996)


def test_ecommerce_first_purchases(tmp_path: Path) -> None:
    rows = (
        "user_id,signup_time,purchase_time,purchase_value,device_id,source,browser,sex,age,"
        "ip_address,class\n"
        "22058,2015-02-24 22:55:49,2015-04-18 02:47:11,34,QVPSPJUOCKZAR,SEO,Chrome,M,39,"
        "732758368.79972,0\n"
        "1359,2015-01-01 18:52:44,2015-06-01 18:52:45,15,QVPSPJUOCKZAR,SEO,Opera,M,53,"
        "2621473820.11095,1\n"
    )
    _, [first, second] = purchases_of("ecommerce_first_purchases", tmp_path, rows)
    assert first["device_id"] == second["device_id"] == "QVPSPJUOCKZAR"
    assert first["amount_minor"] == 3400


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_forbids_its_label(path: Path) -> None:
    mapping = load_mapping(path)
    assert mapping.label is not None
    assert not {*mapping.never_read} & {*mapping.data_columns, *mapping.joined_columns}
