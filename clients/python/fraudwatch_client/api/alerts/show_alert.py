from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.alert_detail import AlertDetail
from ...models.problem import Problem
from ...types import UNSET, Unset
from typing import cast



def _get_kwargs(
    transaction_id: str,
    *,
    features: bool | Unset = False,

) -> dict[str, Any]:
    

    

    params: dict[str, Any] = {}

    params["features"] = features


    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}


    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/alerts/{transaction_id}".format(transaction_id=quote(str(transaction_id), safe=""),),
        "params": params,
    }


    return _kwargs



def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> AlertDetail | Problem | None:
    if response.status_code == 200:
        response_200 = AlertDetail.from_dict(response.json())



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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[AlertDetail | Problem]:
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
    features: bool | Unset = False,

) -> Response[AlertDetail | Problem]:
    """ Show Alert

     Return one alert: its current verdict and explanation, purchase, features, labels, refunds.

    Sealed fields are left out. Features are on the log for seven days. 404: the transaction has no
    verdict, or its current one approved it (see `GET /v1/verdicts/{transaction_id}`).

    Args:
        transaction_id (str): The transaction's id: `source:id`
        features (bool | Unset): Add the feature vector, read from the log: slower Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AlertDetail | Problem]
     """


    kwargs = _get_kwargs(
        transaction_id=transaction_id,
features=features,

    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)

def sync(
    transaction_id: str,
    *,
    client: AuthenticatedClient,
    features: bool | Unset = False,

) -> AlertDetail | Problem | None:
    """ Show Alert

     Return one alert: its current verdict and explanation, purchase, features, labels, refunds.

    Sealed fields are left out. Features are on the log for seven days. 404: the transaction has no
    verdict, or its current one approved it (see `GET /v1/verdicts/{transaction_id}`).

    Args:
        transaction_id (str): The transaction's id: `source:id`
        features (bool | Unset): Add the feature vector, read from the log: slower Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AlertDetail | Problem
     """


    return sync_detailed(
        transaction_id=transaction_id,
client=client,
features=features,

    ).parsed

async def asyncio_detailed(
    transaction_id: str,
    *,
    client: AuthenticatedClient,
    features: bool | Unset = False,

) -> Response[AlertDetail | Problem]:
    """ Show Alert

     Return one alert: its current verdict and explanation, purchase, features, labels, refunds.

    Sealed fields are left out. Features are on the log for seven days. 404: the transaction has no
    verdict, or its current one approved it (see `GET /v1/verdicts/{transaction_id}`).

    Args:
        transaction_id (str): The transaction's id: `source:id`
        features (bool | Unset): Add the feature vector, read from the log: slower Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AlertDetail | Problem]
     """


    kwargs = _get_kwargs(
        transaction_id=transaction_id,
features=features,

    )

    response = await client.get_async_httpx_client().request(
        **kwargs
    )

    return _build_response(client=client, response=response)

async def asyncio(
    transaction_id: str,
    *,
    client: AuthenticatedClient,
    features: bool | Unset = False,

) -> AlertDetail | Problem | None:
    """ Show Alert

     Return one alert: its current verdict and explanation, purchase, features, labels, refunds.

    Sealed fields are left out. Features are on the log for seven days. 404: the transaction has no
    verdict, or its current one approved it (see `GET /v1/verdicts/{transaction_id}`).

    Args:
        transaction_id (str): The transaction's id: `source:id`
        features (bool | Unset): Add the feature vector, read from the log: slower Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AlertDetail | Problem
     """


    return (await asyncio_detailed(
        transaction_id=transaction_id,
client=client,
features=features,

    )).parsed
