"""Posts an alert: only to permitted addresses, and within one overall time limit."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from ipaddress import IPv4Network as Network4
from typing import Any

import httpx

# From name resolution to the response status.
SECONDS = 10.0
SIGNATURE = "X-Resight-Signature"
TIMESTAMP = "X-Resight-Timestamp"
# One text for all failures, so that nobody can probe the network with it.
REFUSED = "no response, or alerts may not be sent to this address"

Network = Network4 | IPv6Network
Address = IPv4Address | IPv6Address

# IPv6 addresses that embed an IPv4 address: NAT64, 6to4, Teredo.
_TUNNELS = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class NotTakenError(Exception):
    """An alert was not delivered; the text gives the reason that may be shown."""


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list.

    Raises:
        ValueError: one is invalid.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def permitted(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Return whether alerts may be sent to an address: public, or in an allowed network."""
    plain = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    if any(plain in network for network in allowed if network.version == plain.version):
        return True
    if any(plain in tunnel for tunnel in _TUNNELS if plain.version == tunnel.version):
        return False
    return plain.is_global and not plain.is_multicast


def post(
    url: str, secret: str, what: dict[str, Any], now: float, allowed: Sequence[Network] = ()
) -> None:
    """Post an alert as JSON, signed.

    Raises:
        NotTakenError: no response in time, a status outside 200 to 299, or a forbidden address.
    """
    body, stamp = json.dumps(what).encode(), str(int(now))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Resight",
        TIMESTAMP: stamp,
        SIGNATURE: f"sha256={signature(secret, stamp, body)}",
    }
    try:
        status = asyncio.run(asyncio.wait_for(_status(url, body, headers, allowed), SECONDS))
    except (OSError, ValueError, TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTakenError(REFUSED) from error
    if not 200 <= status < 300:
        raise NotTakenError(f"the response had status {status}")


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return an alert's signature: HMAC-SHA-256 of `<timestamp>.<body>`."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


async def _status(
    url: str, body: bytes, headers: dict[str, str], allowed: Sequence[Network]
) -> int:
    """Post to the address that was checked, even if the name resolves differently now."""
    there = httpx.URL(url)
    port = there.port or (443 if there.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(there.host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(each[4][0]) for each in found]
    if not addresses or not all(permitted(each, allowed) for each in addresses):
        raise ValueError("it resolves to an address that alerts may not be sent to")
    host = there.netloc.decode()
    async with (
        httpx.AsyncClient(trust_env=False, timeout=SECONDS, follow_redirects=False) as client,
        client.stream(
            "POST",
            there.copy_with(host=str(addresses[0])),
            content=body,
            headers={**headers, "Host": host},
            extensions={"sni_hostname": there.host},
        ) as answer,
    ):
        return answer.status_code
