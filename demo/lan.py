"""`make demo LAN=1`: the demo on the local network, so that phones have https for their cameras and pages without network.

The phone is told once to trust the authority of this data directory: a page over plain http says how, and hands it out.
"""

import asyncio
import html
import io
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import segno

from embedded import authority, landing, networks, process
from embedded.authority import Served
from embedded.errors import EmbeddedError, PortTakenError
from embedded.landing import Sheet
from embedded.networks import Address

FIND = "1"  # LAN=1: whatever address this machine has there
_NAME_ONE = "name yours: make demo LAN=192.168.1.20 (IPv4: the demo's authority signs for no other)"
CA_PATH = "/taizhang-ca.crt"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where phones will reach the demo, and what else this machine could be reached at."""

    address: Address
    others: Sequence[Address] = ()


@dataclass(frozen=True, slots=True)
class Lan:
    """Where phones reach the demo, and what they have to trust for it."""

    chosen: Chosen
    served: Served
    page: str  # of the explanation

    @property
    def environment(self) -> Mapping[str, str]:
        """For the api: it listens there, and there only."""
        return {
            "TAIZHANG_API_HOST": self.chosen.address.address,
            "TAIZHANG_API_TLS_CERTIFICATE": str(self.served.certificate),
            "TAIZHANG_API_TLS_KEY": str(self.served.key),
        }


def address_of(asked: str) -> Chosen:
    """The address to be reached at. Raises EmbeddedError with what to do."""
    if asked != FIND:
        if not authority.is_private(asked):
            raise EmbeddedError(f"{asked} is no IPv4 address of a local network; {_NAME_ONE}")
        return Chosen(Address(asked, ""))
    own = networks.own()
    local = [each for each in own if authority.is_private(each.address)]
    if not local:
        has = ", ".join(map(str, own)) or "none"
        raise EmbeddedError(
            f"this machine has no IPv4 address of a local network (it has {has}): join one, or {_NAME_ONE}"
        )
    return Chosen(local[0], local[1:])


@asynccontextmanager
async def standing(directory: Path, chosen: Chosen, port: int, now: datetime) -> AsyncGenerator[Lan]:
    """The certificates, and the page for phones on the next port, for the length of the block. Raises EmbeddedError."""
    address = chosen.address.address
    served = await asyncio.to_thread(authority.certify, directory / "lan", address, now)
    url = f"https://{address}:{port}"
    sheets = {
        "/": Sheet("text/html; charset=utf-8", _page(url).encode()),
        CA_PATH: Sheet("application/x-x509-ca-cert", served.authority_der),
    }
    async with landing.standing(address, _beside(port, address), sheets) as at:
        yield Lan(chosen, served, f"http://{address}:{at}/")


def _beside(port: int, address: str) -> int:
    """The next port, so that the page has the same address in every run; any, where another program has that one."""
    try:
        return process.port_for("the page for phones", min(port + 1, 65_535), address)
    except PortTakenError:
        return 0


def told(lan: Lan, url: str, language: str) -> list[str]:
    """For the terminal: the way for a phone, a code to scan, and what to compare."""
    zh = language == "zh"
    drawn = io.StringIO()
    segno.make(lan.page, error="m").terminal(drawn, compact=True)
    steps = [
        f"本机地址：{lan.chosen.address}" if zh else f"This machine's address: {lan.chosen.address}",
        *_others(lan.chosen.others, zh=zh),
        f"手机与本机接入同一网络，打开 {lan.page} 按说明信任证书（每部手机只需一次），再打开 {url}/patrol"
        if zh
        else f"With the phone in the same network open {lan.page}, trust the certificate as it says (once a phone), then open {url}/patrol",
        "证书指纹（SHA-256），请与手机自己显示的核对（在哪里看，页面上有说明），不一致就不要安装，已安装的立即删除："
        if zh
        else "Fingerprint of the certificate (SHA-256). Compare it with what the phone itself shows; the page says where. "
        "If it differs, do not install it, or remove it at once:",
        f"  {lan.served.fingerprint}",
        "这个机构只能为内网地址签发证书；密钥只在本机，用完请在手机上删除该证书。"
        if zh
        else "It can sign for private addresses only; its key stays on this machine. Remove it from the phone when you are done.",
    ]
    if lan.served.is_new:
        steps.append(
            "证书机构是新的：以前信任过旧机构的手机要重新安装。"
            if zh
            else "The authority is new: phones that trusted an earlier one have to be told again."
        )
    return [*steps, *drawn.getvalue().rstrip("\n").splitlines()]


def _others(others: Sequence[Address], *, zh: bool) -> list[str]:
    if not others:
        return []
    listed, one = ("、" if zh else ", ").join(map(str, others)), others[0].address
    return [
        f"本机还有别的地址：{listed}。手机连不上时，指定与手机同一网络的那个：make demo LAN={one}"
        if zh
        else f"It has others: {listed}. If the phone gets no answer, name the one of the phone's network: make demo LAN={one}"
    ]


_STEPS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "zh": (
        "让手机信任演示环境",
        (
            "iPhone / iPad：用 Safari 点“下载证书”，选“允许”。",
            "“设置 → 通用 → VPN 与设备管理”，点已下载的描述文件。先点“更多详细信息”，再点证书，核对 SHA-256 指纹；与电脑终端里的一致才安装。",
            "“设置 → 通用 → 关于本机 → 证书信任设置”，打开“Taizhang demo”的开关。",
        ),
        (
            "安卓 / 鸿蒙：点“下载证书”。",
            "“设置”里搜索“CA 证书”（安全 → 加密与凭据 → 安装证书 → CA 证书），仍然安装，选刚下载的文件。",
            "安卓安装前不显示指纹，装好后马上核对：“设置 → 安全 → 加密与凭据 → 信任的凭据 → 用户”，点“Taizhang demo”，看 SHA-256 指纹；与电脑终端里的不一致就在那里删除。",
            "用 Chrome 或系统浏览器打开下面的地址。",
        ),
        ("下载证书", "指纹只看电脑终端和手机自己显示的；网页上写的不能作准。", "然后打开"),
    ),
    "en": (
        "Let the phone trust the demo",
        (
            "iPhone, iPad: in Safari tap “Download the certificate” and allow it.",
            "Settings → General → VPN & Device Management: tap the downloaded profile. First More Details, then the certificate: install it only if its SHA-256 fingerprint is the one in the computer's terminal.",
            "Settings → General → About → Certificate Trust Settings: switch on “Taizhang demo”.",
        ),
        (
            "Android: tap “Download the certificate”.",
            "Search the settings for “CA certificate” (Security → Encryption & credentials → Install a certificate), install anyway, and pick the file.",
            "Android shows no fingerprint before that, so compare it now: Security → Encryption & credentials → Trusted credentials → User, tap “Taizhang demo”; if its SHA-256 fingerprint is not the one in the computer's terminal, remove it there.",
            "Open the address below in Chrome.",
        ),
        ("Download the certificate", "The fingerprint is what the terminal and the phone itself show; no web page proves it.", "Then open"),
    ),
}  # fmt: skip


def _page(url: str) -> str:
    """Without the fingerprint: whoever can change the certificate on its way can change the page as well."""
    parts: list[str] = []
    for language, (title, apple, android, (download, compare, then)) in _STEPS.items():
        lists = "".join(
            f"<ol>{''.join(f'<li>{html.escape(step)}</li>' for step in each)}</ol>" for each in (apple, android)
        )
        parts.append(
            f'<section lang="{language}"><h1>{title}</h1><p><a href="{CA_PATH}">{download}</a></p>{lists}'
            f"<p>{html.escape(compare)}</p>"
            f'<p>{then} <a href="{url}/patrol">{url}/patrol</a>, <a href="{url}/">{url}/</a></p></section>'
        )  # fmt: skip
    style = "body{font:17px/1.6 system-ui;margin:1em;max-width:40em}a{font-weight:600}"
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>台账 Taizhang</title><style>{style}</style>{'<hr>'.join(parts)}</html>"
    )
