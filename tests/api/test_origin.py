"""Where a request comes from is what the connection says, unless a proxy that the operator named says otherwise."""

import ipaddress

import pytest
from starlette.requests import Request

from api.origin import origin_of

PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


def request(peer: str, **headers: str) -> Request:
    named = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return Request(
        {"type": "http", "client": (peer, 1), "headers": named, "scheme": "http", "path": "/", "server": ("x", 80)}
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_forwarded_addresses_count_from_a_trusted_proxy_only(peer: str, forwarded: str | None, ip: str) -> None:
    headers = {} if forwarded is None else {"x_forwarded_for": forwarded}
    assert origin_of(request(peer, **headers), PROXIES).ip == ip


def test_https_is_believed_of_a_trusted_proxy_only() -> None:
    assert origin_of(request("10.0.0.1", x_forwarded_proto="https"), PROXIES).secure
    assert not origin_of(request("192.0.2.1", x_forwarded_proto="https"), PROXIES).secure


def test_an_ipv6_customer_is_one_neighbour() -> None:
    one, other = (origin_of(request(each), PROXIES) for each in ("2001:db8::1", "2001:db8::ffff:1"))
    assert one.neighbourhood == other.neighbourhood
    assert origin_of(request("192.0.2.1"), PROXIES).neighbourhood == "192.0.2.1"


def test_a_program_s_name_is_bounded_and_printable() -> None:
    assert origin_of(request("192.0.2.1", user_agent="a\tb" + "x" * 999), PROXIES).user_agent == "ab" + "x" * 298
