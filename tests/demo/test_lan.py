"""Which address the demo takes on a local network, and what it tells a phone."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from demo import lan
from embedded import networks
from embedded.errors import EmbeddedError
from embedded.networks import Address
from embedded.process import port_for


def addresses(*found: tuple[str, str]) -> list[Address]:
    return [Address(address, interface) for address, interface in found]


def test_an_address_is_of_a_local_network() -> None:
    assert lan.address_of("192.168.1.20").address.address == "192.168.1.20"
    for wrong in ("8.8.8.8", "yes", "::1", "0.0.0.0"):
        with pytest.raises(EmbeddedError, match="make demo LAN="):
            lan.address_of(wrong)


HOME, BRIDGE, TUNNEL = ("192.168.1.20", "wlp3s0"), ("172.17.0.1", "docker0"), ("10.8.0.6", "tun0")


@pytest.mark.parametrize(
    ("found", "leading_out", "order"),
    [
        ([BRIDGE, HOME], "192.168.1.20", [HOME, BRIDGE]),
        ([TUNNEL, HOME, BRIDGE], "10.8.0.6", [HOME, TUNNEL, BRIDGE]),  # a tunnel that takes all traffic
        ([("10.0.0.5", "eth0"), HOME], "192.168.1.20", [HOME, ("10.0.0.5", "eth0")]),
        ([BRIDGE], None, [BRIDGE]),
        ([("127.0.0.1", "lo")], "10.1.2.3", [("10.1.2.3", "")]),
    ],
)
def test_a_real_network_comes_before_a_bridge_or_a_tunnel(
    found: list[tuple[str, str]], leading_out: str | None, order: list[tuple[str, str]]
) -> None:
    assert networks.ordered(addresses(*found), leading_out) == addresses(*order)


def test_what_ip_tells_is_read() -> None:
    links: list[dict[str, object]] = [
        {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1"}, {"family": "inet6", "local": "::1"}]},
        {
            "ifname": "wlan0",
            "addr_info": [{"family": "inet6", "local": "fe80::1"}, {"family": "inet", "local": "10.0.0.9"}],
        },
        {"ifname": "down0"},
    ]
    assert networks.read(links) == addresses(("127.0.0.1", "lo"), ("10.0.0.9", "wlan0"))


def test_this_machine_has_the_addresses_it_can_be_reached_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_leading_out", lambda: None)
    for each in networks.own():
        with socket.create_server((each.address, 0)):
            pass


def test_one_means_the_likeliest_and_the_others_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "own", lambda: addresses(("203.0.113.9", "eth1"), HOME, BRIDGE))
    chosen = lan.address_of("1")
    assert (chosen.address, chosen.others) == (Address(*HOME), addresses(BRIDGE))


@pytest.mark.parametrize("own", [[], addresses(("203.0.113.9", "eth0"))])
def test_a_machine_without_one_says_what_it_has(own: list[Address], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "own", lambda: own)
    with pytest.raises(EmbeddedError, match=r"203\.0\.113\.9 \(eth0\)" if own else "has none.*IPv4"):
        lan.address_of("1")


HERE = lan.Chosen(Address("127.0.0.1", "lo"), addresses(BRIDGE))


async def test_a_taken_port_moves_the_page(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        async with lan.standing(tmp_path, HERE, port - 1, datetime.now(UTC)) as found:
            assert not found.page.endswith(f":{port}/")


async def test_a_phone_is_told_how_in_both_languages(tmp_path: Path) -> None:
    async with lan.standing(tmp_path, HERE, port_for("the demo", None), datetime.now(UTC)) as found:
        async with httpx.AsyncClient() as phone:
            page = (await phone.get(found.page)).text
        for told in ("证书信任设置", "Certificate Trust Settings", "安装证书", "Install a certificate"):
            assert told in page
        for compared in ("更多详细信息", "More Details", "信任的凭据", "Trusted credentials"):
            assert compared in page
        assert found.served.fingerprint not in page, "whoever changes the certificate changes the page"
        for language in ("zh", "en"):
            said = "\n".join(lan.told(found, "https://127.0.0.1:8080", language))
            assert found.page in said
            assert found.served.fingerprint in said
            assert "127.0.0.1 (lo)" in said
            assert "172.17.0.1 (docker0)" in said
            assert "make demo LAN=172.17.0.1" in said
            assert "\u2588" in said or "\u2580" in said, "a code to scan"
