"""What stands in front of a server that has no TLS of its own: it ends TLS, and SASL for Kafka.

Tansu, Valkey from its wheel, and the tests' Qdrant speak plainly, so the encrypted half is this.
The broker behind sees nothing before a client has proved by SCRAM-SHA-512 who it is.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import socket
import ssl
import struct
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslAuthenticateResponse,
    SaslHandshakeRequest,
    SaslHandshakeResponse,
)

from embedded.servers import HOST

_API_VERSIONS = 18
_REFUSED = 58  # SASL_AUTHENTICATION_FAILED
_ITERATIONS = 4096
_CHUNK = 1 << 16


class RefusedError(Exception):
    """The client did not prove who it is."""


class Authority:
    """Makes certificates for this machine; `ca` is the file that clients are to trust."""

    def __init__(self, folder: Path, host: str = HOST) -> None:
        self._authority = trustme.CA()
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca))
        issued = self._authority.issue_cert(host)
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        issued.cert_chain_pems[0].write_to_path(str(self.certificate))
        issued.private_key_pem.write_to_path(str(self.key))

    def context(self, *, asks_for_certificates: bool = False) -> ssl.SSLContext:
        """Return a server's side of TLS; it may want to see a certificate of the client's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if asks_for_certificates:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@contextmanager
def front(
    context: ssl.SSLContext, port: int, behind: int, users: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Listen on `port` with TLS and pass on to `behind`; with `users`, names to passwords, SASL."""
    with socket.create_server((HOST, port)) as listening:

        def accept() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:  # the listener is closed
                    return
                threading.Thread(target=serve, args=[client], daemon=True).start()

        def serve(client: socket.socket) -> None:
            with (
                contextlib.suppress(OSError, EOFError, RefusedError),
                client,
                context.wrap_socket(client, server_side=True) as secure,
                socket.create_connection((HOST, behind)) as server,
            ):
                if users is not None:
                    _authenticate(secure, server, users)
                back = threading.Thread(target=_pump, args=[server, secure], daemon=True)
                back.start()
                _pump(secure, server)
                back.join()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _authenticate(client: socket.socket, broker: socket.socket, users: Mapping[str, str]) -> None:
    exchange: Generator[tuple[bytes, int], bytes, None] | None = None
    while True:
        frame = _frame(client)
        api, version = struct.unpack(">hh", frame[:4])
        if api == _API_VERSIONS:
            broker.sendall(struct.pack(">i", len(frame)) + frame)
            answer = _frame(broker)
            client.sendall(struct.pack(">i", len(answer)) + answer)
        elif api == SaslHandshakeRequest.API_KEY:
            _answer(client, frame, version, SaslHandshakeResponse(0, ["SCRAM-SHA-512"]))
        elif api == SaslAuthenticateRequest.API_KEY:
            told = SaslAuthenticateRequest.decode(frame, version=version, header=True).auth_bytes
            if exchange is None:
                exchange = scram(told.decode(), users)
                proof, error = next(exchange)
            else:
                proof, error = exchange.send(told)
            why = "wrong name or password" if error else None
            _answer(client, frame, version, SaslAuthenticateResponse(error, why, proof, 0))
            if error:
                while client.recv(_CHUNK):  # a broker lets the client read why first
                    pass
                raise RefusedError(why)
            if proof.startswith(b"v="):
                return
        else:
            raise RefusedError(f"request {api} before anyone said who they are")


def scram(first: str, users: Mapping[str, str]) -> Generator[tuple[bytes, int], bytes, None]:
    """Be a server of RFC 5802 with SHA-512; yields answers with Kafka's error code."""
    bare = first.removeprefix("n,,")
    fields = dict(part.split("=", 1) for part in bare.split(","))
    salt, nonce = os.urandom(16), fields["r"] + base64.b64encode(os.urandom(12)).decode()
    challenge = f"r={nonce},s={base64.b64encode(salt).decode()},i={_ITERATIONS}"
    last = yield challenge.encode(), 0
    without_proof, _, proof = last.decode().rpartition(",p=")
    signed = f"{bare},{challenge},{without_proof}".encode()
    password = users.get(fields["n"], "")
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    client_key = _hmac(salted, b"Client Key")
    stored = hashlib.sha512(client_key).digest()
    claimed = bytes(
        a ^ b for a, b in zip(base64.b64decode(proof), _hmac(stored, signed), strict=True)
    )
    if not password or hashlib.sha512(claimed).digest() != stored:
        yield b"", _REFUSED
    yield b"v=" + base64.b64encode(_hmac(_hmac(salted, b"Server Key"), signed)), 0


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha512")


def _answer(client: socket.socket, request: bytes, version: int, response: Any) -> None:
    header = request[4:8]  # the number that ties an answer to its request
    if response.flexible_version_q(version):
        header += b"\0"  # no tagged fields
    answer = header + response.encode(version=version)
    client.sendall(struct.pack(">i", len(answer)) + answer)


def _frame(sock: socket.socket) -> bytes:
    (size,) = struct.unpack(">i", _exactly(sock, 4))
    return _exactly(sock, size)


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        got = sock.recv(count - len(data))
        if not got:
            raise EOFError
        data += got
    return data
