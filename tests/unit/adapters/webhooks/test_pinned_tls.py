"""A pinned address over real TLS: the certificate is checked against the name of the URL."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fraudwatch.adapters.webhooks.public_transport import PublicTransport

NAME = "shop.example"


def make_certificate(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@dataclass
class Shop:
    """A server with TLS on loopback that records the names that its callers use."""

    port: int
    certificate: Path
    server_names: list[str | None] = field(default_factory=list)
    hosts: list[str | None] = field(default_factory=list)

    def transport(self) -> PublicTransport:
        tls = ssl.create_default_context(cafile=str(self.certificate))
        return PublicTransport(
            httpx.HTTPTransport(verify=tls, trust_env=False),
            allow_loopback=True,
            resolve=lambda *_: ["127.0.0.1"],
        )

    def post(self, name: str) -> httpx.Response:
        with httpx.Client(transport=self.transport(), trust_env=False) as client:
            return client.post(f"https://{name}:{self.port}/hooks", content=b"{}")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.hosts.append(self.headers["host"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    certificate = make_certificate(tmp_path / "shop.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Shop(server.server_port, certificate)
        context.set_servername_callback(lambda _s, name, _c: found.server_names.append(name))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def test_the_name_is_in_the_handshake_and_in_the_host_header(shop: Shop) -> None:
    assert shop.post(NAME).status_code == 204
    assert shop.server_names == [NAME]
    assert shop.hosts == [f"{NAME}:{shop.port}"]


def test_a_certificate_of_another_name_is_refused(shop: Shop) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate"):
        shop.post("other.example")
    assert shop.hosts == []
