from __future__ import annotations

import socket

import pytest
from thrift.transport.TTransport import TTransportException

from fraudwatch.adapters.lake.hive_sql import CloseOnErrorSocket


def test_a_late_answer_is_never_read_as_that_of_the_next_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = CloseOnErrorSocket("127.0.0.1", server.getsockname()[1])
        client.setTimeout(200)
        client.open()
        answerer, _ = server.accept()
        with answerer:
            answerer.sendall(b"ans")
            assert client.read(3) == b"ans"
            with pytest.raises(TTransportException, match="timeout"):
                client.read(3)
            with pytest.raises(TTransportException, match="not open"):
                client.write(b"the next request")
            assert answerer.recv(1) == b""
