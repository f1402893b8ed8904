"""Which address the demo takes on a local network, and what it tells a phone."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from demo import lan
from embedded.errors import EmbeddedError
from tests.fix_sockets import free_port


def test_an_address_is_of_a_local_network() -> None:
    assert lan.address_of("192.168.1.20") == "192.168.1.20"
    for wrong in ("8.8.8.8", "yes", "::1", "0.0.0.0"):
        with pytest.raises(EmbeddedError, match="make demo LAN="):
            lan.address_of(wrong)


@pytest.mark.parametrize(("own", "found"), [("10.1.2.3", "10.1.2.3"), ("127.0.0.1", None), ("203.0.113.9", None)])
def test_one_means_its_own(own: str, found: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan, "_own_address", lambda: own)
    if found is None:
        with pytest.raises(EmbeddedError, match="local network"):
            lan.address_of("1")
    else:
        assert lan.address_of("1") == found


async def test_a_taken_port_moves_the_page(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        async with lan.standing(tmp_path, "127.0.0.1", port - 1, datetime.now(UTC)) as found:
            assert not found.page.endswith(f":{port}/")


async def test_a_phone_is_told_how_in_both_languages(tmp_path: Path) -> None:
    async with lan.standing(tmp_path, "127.0.0.1", free_port(), datetime.now(UTC)) as found:
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
            assert "\u2588" in said or "\u2580" in said, "a code to scan"
