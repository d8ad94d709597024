from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.label_report import LabelReport
from ...models.label_result import LabelResult
from ...models.problem import Problem
from typing import cast



def _get_kwargs(
    *,
    body: LabelReport,

) -> dict[str, Any]:
    headers: dict[str, Any] = {}


    

    

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/labels",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs



def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> LabelResult | Problem | None:
    if response.status_code == 202:
        response_202 = LabelResult.from_dict(response.json())



        return response_202

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())



        return response_400

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[LabelResult | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: LabelReport,

) -> Response[LabelResult | Problem]:
    """ Report Label

     Report what one purchase turned out to be; the latest report counts.

    202 means that the broker has acknowledged it. It is admitted as by ingest, so the purchase is
    not looked up, and the same report sent again changes nothing.

    Args:
        body (LabelReport): Label of one purchase, as the payment system reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[LabelResult | Problem]
     """


    kwargs = _get_kwargs(
        body=body,

    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)

def sync(
    *,
    client: AuthenticatedClient,
    body: LabelReport,

) -> LabelResult | Problem | None:
    """ Report Label

     Report what one purchase turned out to be; the latest report counts.

    202 means that the broker has acknowledged it. It is admitted as by ingest, so the purchase is
    not looked up, and the same report sent again changes nothing.

    Args:
        body (LabelReport): Label of one purchase, as the payment system reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        LabelResult | Problem
     """


    return sync_detailed(
        client=client,
body=body,

    ).parsed

async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: LabelReport,

) -> Response[LabelResult | Problem]:
    """ Report Label

     Report what one purchase turned out to be; the latest report counts.

    202 means that the broker has acknowledged it. It is admitted as by ingest, so the purchase is
    not looked up, and the same report sent again changes nothing.

    Args:
        body (LabelReport): Label of one purchase, as the payment system reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[LabelResult | Problem]
     """


    kwargs = _get_kwargs(
        body=body,

    )

    response = await client.get_async_httpx_client().request(
        **kwargs
    )

    return _build_response(client=client, response=response)

async def asyncio(
    *,
    client: AuthenticatedClient,
    body: LabelReport,

) -> LabelResult | Problem | None:
    """ Report Label

     Report what one purchase turned out to be; the latest report counts.

    202 means that the broker has acknowledged it. It is admitted as by ingest, so the purchase is
    not looked up, and the same report sent again changes nothing.

    Args:
        body (LabelReport): Label of one purchase, as the payment system reports it.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        LabelResult | Problem
     """


    return (await asyncio_detailed(
        client=client,
body=body,

    )).parsed
