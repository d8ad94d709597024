from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.alert_page import AlertPage
from ...models.problem import Problem
from ...models.risk import Risk
from ...types import UNSET, Unset
from typing import cast



def _get_kwargs(
    *,
    customer_token: None | str | Unset = UNSET,
    merchant_id: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    risk: list[Risk] | Unset = UNSET,
    since_ms: int | None | Unset = UNSET,
    until_ms: int | None | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: None | str | Unset = UNSET,

) -> dict[str, Any]:
    

    

    params: dict[str, Any] = {}

    json_customer_token: None | str | Unset
    if isinstance(customer_token, Unset):
        json_customer_token = UNSET
    else:
        json_customer_token = customer_token
    params["customer_token"] = json_customer_token

    json_merchant_id: None | str | Unset
    if isinstance(merchant_id, Unset):
        json_merchant_id = UNSET
    else:
        json_merchant_id = merchant_id
    params["merchant_id"] = json_merchant_id

    json_rule: None | str | Unset
    if isinstance(rule, Unset):
        json_rule = UNSET
    else:
        json_rule = rule
    params["rule"] = json_rule

    json_risk: list[str] | Unset = UNSET
    if not isinstance(risk, Unset):
        json_risk = []
        for risk_item_data in risk:
            risk_item = risk_item_data.value
            json_risk.append(risk_item)


    params["risk"] = json_risk

    json_since_ms: int | None | Unset
    if isinstance(since_ms, Unset):
        json_since_ms = UNSET
    else:
        json_since_ms = since_ms
    params["since_ms"] = json_since_ms

    json_until_ms: int | None | Unset
    if isinstance(until_ms, Unset):
        json_until_ms = UNSET
    else:
        json_until_ms = until_ms
    params["until_ms"] = json_until_ms

    params["limit"] = limit

    json_cursor: None | str | Unset
    if isinstance(cursor, Unset):
        json_cursor = UNSET
    else:
        json_cursor = cursor
    params["cursor"] = json_cursor


    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}


    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/alerts",
        "params": params,
    }


    return _kwargs



def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> AlertPage | Problem | None:
    if response.status_code == 200:
        response_200 = AlertPage.from_dict(response.json())



        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())



        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())



        return response_403

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())



        return response_422

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())



        return response_429

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())



        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[AlertPage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    customer_token: None | str | Unset = UNSET,
    merchant_id: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    risk: list[Risk] | Unset = UNSET,
    since_ms: int | None | Unset = UNSET,
    until_ms: int | None | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: None | str | Unset = UNSET,

) -> Response[AlertPage | Problem]:
    """ List Alerts

     List alerts, latest first.

    A page may be shorter than `limit`, even empty, while `next_cursor` is given: continue with it.
    A key that is limited to sources sees the alerts of these. A transaction that was scored twice
    is listed once a verdict. To search by a customer's identifier, which does not belong in a URL,
    use `POST /v1/alert-search`.

    Args:
        customer_token (None | str | Unset): Of the customer with this token
        merchant_id (None | str | Unset): At this merchant
        rule (None | str | Unset): With a reason of this rule or model
        risk (list[Risk] | Unset): Of one of these risk levels
        since_ms (int | None | Unset): Decided at or after, epoch ms UTC; default: all that are
            stored
        until_ms (int | None | Unset): Decided before, epoch ms UTC
        limit (int | Unset): Alerts a page Default: 50.
        cursor (None | str | Unset): `next_cursor` of the page before, with the same filters

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AlertPage | Problem]
     """


    kwargs = _get_kwargs(
        customer_token=customer_token,
merchant_id=merchant_id,
rule=rule,
risk=risk,
since_ms=since_ms,
until_ms=until_ms,
limit=limit,
cursor=cursor,

    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)

def sync(
    *,
    client: AuthenticatedClient,
    customer_token: None | str | Unset = UNSET,
    merchant_id: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    risk: list[Risk] | Unset = UNSET,
    since_ms: int | None | Unset = UNSET,
    until_ms: int | None | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: None | str | Unset = UNSET,

) -> AlertPage | Problem | None:
    """ List Alerts

     List alerts, latest first.

    A page may be shorter than `limit`, even empty, while `next_cursor` is given: continue with it.
    A key that is limited to sources sees the alerts of these. A transaction that was scored twice
    is listed once a verdict. To search by a customer's identifier, which does not belong in a URL,
    use `POST /v1/alert-search`.

    Args:
        customer_token (None | str | Unset): Of the customer with this token
        merchant_id (None | str | Unset): At this merchant
        rule (None | str | Unset): With a reason of this rule or model
        risk (list[Risk] | Unset): Of one of these risk levels
        since_ms (int | None | Unset): Decided at or after, epoch ms UTC; default: all that are
            stored
        until_ms (int | None | Unset): Decided before, epoch ms UTC
        limit (int | Unset): Alerts a page Default: 50.
        cursor (None | str | Unset): `next_cursor` of the page before, with the same filters

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AlertPage | Problem
     """


    return sync_detailed(
        client=client,
customer_token=customer_token,
merchant_id=merchant_id,
rule=rule,
risk=risk,
since_ms=since_ms,
until_ms=until_ms,
limit=limit,
cursor=cursor,

    ).parsed

async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    customer_token: None | str | Unset = UNSET,
    merchant_id: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    risk: list[Risk] | Unset = UNSET,
    since_ms: int | None | Unset = UNSET,
    until_ms: int | None | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: None | str | Unset = UNSET,

) -> Response[AlertPage | Problem]:
    """ List Alerts

     List alerts, latest first.

    A page may be shorter than `limit`, even empty, while `next_cursor` is given: continue with it.
    A key that is limited to sources sees the alerts of these. A transaction that was scored twice
    is listed once a verdict. To search by a customer's identifier, which does not belong in a URL,
    use `POST /v1/alert-search`.

    Args:
        customer_token (None | str | Unset): Of the customer with this token
        merchant_id (None | str | Unset): At this merchant
        rule (None | str | Unset): With a reason of this rule or model
        risk (list[Risk] | Unset): Of one of these risk levels
        since_ms (int | None | Unset): Decided at or after, epoch ms UTC; default: all that are
            stored
        until_ms (int | None | Unset): Decided before, epoch ms UTC
        limit (int | Unset): Alerts a page Default: 50.
        cursor (None | str | Unset): `next_cursor` of the page before, with the same filters

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AlertPage | Problem]
     """


    kwargs = _get_kwargs(
        customer_token=customer_token,
merchant_id=merchant_id,
rule=rule,
risk=risk,
since_ms=since_ms,
until_ms=until_ms,
limit=limit,
cursor=cursor,

    )

    response = await client.get_async_httpx_client().request(
        **kwargs
    )

    return _build_response(client=client, response=response)

async def asyncio(
    *,
    client: AuthenticatedClient,
    customer_token: None | str | Unset = UNSET,
    merchant_id: None | str | Unset = UNSET,
    rule: None | str | Unset = UNSET,
    risk: list[Risk] | Unset = UNSET,
    since_ms: int | None | Unset = UNSET,
    until_ms: int | None | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: None | str | Unset = UNSET,

) -> AlertPage | Problem | None:
    """ List Alerts

     List alerts, latest first.

    A page may be shorter than `limit`, even empty, while `next_cursor` is given: continue with it.
    A key that is limited to sources sees the alerts of these. A transaction that was scored twice
    is listed once a verdict. To search by a customer's identifier, which does not belong in a URL,
    use `POST /v1/alert-search`.

    Args:
        customer_token (None | str | Unset): Of the customer with this token
        merchant_id (None | str | Unset): At this merchant
        rule (None | str | Unset): With a reason of this rule or model
        risk (list[Risk] | Unset): Of one of these risk levels
        since_ms (int | None | Unset): Decided at or after, epoch ms UTC; default: all that are
            stored
        until_ms (int | None | Unset): Decided before, epoch ms UTC
        limit (int | Unset): Alerts a page Default: 50.
        cursor (None | str | Unset): `next_cursor` of the page before, with the same filters

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AlertPage | Problem
     """


    return (await asyncio_detailed(
        client=client,
customer_token=customer_token,
merchant_id=merchant_id,
rule=rule,
risk=risk,
since_ms=since_ms,
until_ms=until_ms,
limit=limit,
cursor=cursor,

    )).parsed
