from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.alert_page import AlertPage
from ...models.alert_search import AlertSearch
from ...models.problem import Problem
from typing import cast



def _get_kwargs(
    *,
    body: AlertSearch,

) -> dict[str, Any]:
    headers: dict[str, Any] = {}


    

    

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/alert-search",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs



def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> AlertPage | Problem | None:
    if response.status_code == 200:
        response_200 = AlertPage.from_dict(response.json())



        return response_200

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
    body: AlertSearch,

) -> Response[AlertPage | Problem]:
    """ Search Alerts

     List alerts as `GET /v1/alerts` does, by a customer's own identifier as well.

    The identifier is tokenised at once by ingest, which alone has the keys, and is neither stored
    nor logged. 503 with the type `…:tokens-unavailable`: ingest does not answer.

    Args:
        body (AlertSearch): Search for alerts, by a customer's own identifier as well.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AlertPage | Problem]
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
    body: AlertSearch,

) -> AlertPage | Problem | None:
    """ Search Alerts

     List alerts as `GET /v1/alerts` does, by a customer's own identifier as well.

    The identifier is tokenised at once by ingest, which alone has the keys, and is neither stored
    nor logged. 503 with the type `…:tokens-unavailable`: ingest does not answer.

    Args:
        body (AlertSearch): Search for alerts, by a customer's own identifier as well.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AlertPage | Problem
     """


    return sync_detailed(
        client=client,
body=body,

    ).parsed

async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: AlertSearch,

) -> Response[AlertPage | Problem]:
    """ Search Alerts

     List alerts as `GET /v1/alerts` does, by a customer's own identifier as well.

    The identifier is tokenised at once by ingest, which alone has the keys, and is neither stored
    nor logged. 503 with the type `…:tokens-unavailable`: ingest does not answer.

    Args:
        body (AlertSearch): Search for alerts, by a customer's own identifier as well.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AlertPage | Problem]
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
    body: AlertSearch,

) -> AlertPage | Problem | None:
    """ Search Alerts

     List alerts as `GET /v1/alerts` does, by a customer's own identifier as well.

    The identifier is tokenised at once by ingest, which alone has the keys, and is neither stored
    nor logged. 503 with the type `…:tokens-unavailable`: ingest does not answer.

    Args:
        body (AlertSearch): Search for alerts, by a customer's own identifier as well.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AlertPage | Problem
     """


    return (await asyncio_detailed(
        client=client,
body=body,

    )).parsed
