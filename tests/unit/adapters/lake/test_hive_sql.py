from __future__ import annotations

import socket

import pytest
from thrift.transport.TTransport import TTransportException

from fraudwatch.adapters.lake.hive_sql import HangingUpSocket


def test_an_answer_that_comes_too_late_answers_no_other_question() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        asking = HangingUpSocket("127.0.0.1", server.getsockname()[1])
        asking.setTimeout(200)
        asking.open()
        answering, _ = server.accept()
        with answering:
            answering.sendall(b"ans")
            assert asking.read(3) == b"ans"
            with pytest.raises(TTransportException, match="timeout"):
                asking.read(3)
            with pytest.raises(TTransportException, match="not open"):
                asking.write(b"the next question")
            assert answering.recv(1) == b""
