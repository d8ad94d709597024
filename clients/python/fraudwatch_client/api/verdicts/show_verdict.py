from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.problem import Problem
from ...models.verdict import Verdict
from typing import cast



def _get_kwargs(
    transaction_id: str,

) -> dict[str, Any]:
    

    

    

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/verdicts/{transaction_id}".format(transaction_id=quote(str(transaction_id), safe=""),),
    }


    return _kwargs



def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Problem | Verdict | None:
    if response.status_code == 200:
        response_200 = Verdict.from_dict(response.json())



        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())



        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())



        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())



        return response_404

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Problem | Verdict]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    transaction_id: str,
    *,
    client: AuthenticatedClient,

) -> Response[Problem | Verdict]:
    """ Show Verdict

     Return the current verdict of a transaction, approved or not, for 90 days.

    404: it has none (yet). A purchase is stored a moment after it is scored; to wait for its
    verdict, submit it to ingest with `wait_seconds`.

    Args:
        transaction_id (str): The transaction's id: `source:id`

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | Verdict]
     """


    kwargs = _get_kwargs(
        transaction_id=transaction_id,

    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)

def sync(
    transaction_id: str,
    *,
    client: AuthenticatedClient,

) -> Problem | Verdict | None:
    """ Show Verdict

     Return the current verdict of a transaction, approved or not, for 90 days.

    404: it has none (yet). A purchase is stored a moment after it is scored; to wait for its
    verdict, submit it to ingest with `wait_seconds`.

    Args:
        transaction_id (str): The transaction's id: `source:id`

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | Verdict
     """


    return sync_detailed(
        transaction_id=transaction_id,
client=client,

    ).parsed

async def asyncio_detailed(
    transaction_id: str,
    *,
    client: AuthenticatedClient,

) -> Response[Problem | Verdict]:
    """ Show Verdict

     Return the current verdict of a transaction, approved or not, for 90 days.

    404: it has none (yet). A purchase is stored a moment after it is scored; to wait for its
    verdict, submit it to ingest with `wait_seconds`.

    Args:
        transaction_id (str): The transaction's id: `source:id`

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | Verdict]
     """


    kwargs = _get_kwargs(
        transaction_id=transaction_id,

    )

    response = await client.get_async_httpx_client().request(
        **kwargs
    )

    return _build_response(client=client, response=response)

async def asyncio(
    transaction_id: str,
    *,
    client: AuthenticatedClient,

) -> Problem | Verdict | None:
    """ Show Verdict

     Return the current verdict of a transaction, approved or not, for 90 days.

    404: it has none (yet). A purchase is stored a moment after it is scored; to wait for its
    verdict, submit it to ingest with `wait_seconds`.

    Args:
        transaction_id (str): The transaction's id: `source:id`

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | Verdict
     """


    return (await asyncio_detailed(
        transaction_id=transaction_id,
client=client,

    )).parsed
