"""Where a request comes from: the client's address and program, and whether it came over https.

What a proxy says of its client counts only from an address that the operator named (TAIZHANG_TRUSTED_PROXIES): anybody
can write a header.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import HTTPConnection

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_AGENT_CHARS_MAX = 300
_ADDRESS_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class Origin:
    ip: str
    user_agent: str
    secure: bool

    @property
    def neighbourhood(self) -> str:
        """What is counted as one client: an address, or the network an IPv6 customer is given."""
        try:
            address = ipaddress.ip_address(self.ip)
        except ValueError:
            return self.ip
        return self.ip if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def origin_of(request: HTTPConnection, trusted: Sequence[Network]) -> Origin:
    ip = "" if request.client is None else request.client.host
    secure = request.url.scheme == "https"
    if _is_trusted(ip, trusted):
        secure = request.headers.get("x-forwarded-proto", request.url.scheme).strip() == "https"
        ip = _client_behind(request.headers.get("x-forwarded-for", ""), ip, trusted)
    agent = "".join(each for each in request.headers.get("user-agent", "") if each.isprintable())
    return Origin(ip[:_ADDRESS_CHARS_MAX], agent[:_AGENT_CHARS_MAX], secure)


def _client_behind(forwarded: str, proxy: str, trusted: Sequence[Network]) -> str:
    """The last address that no proxy of ours has: what stands before it was written by the client himself."""
    for each in reversed([one.strip() for one in forwarded.split(",")]):
        if not _is_address(each):
            return proxy
        if not _is_trusted(each, trusted):
            return each
        proxy = each
    return proxy


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(ip: str, trusted: Sequence[Network]) -> bool:
    return _is_address(ip) and any(ipaddress.ip_address(ip) in network for network in trusted)
