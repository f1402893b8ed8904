"""The IPv4 addresses this machine has on its networks, and which of them phones are likely to reach."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_NOWHERE = ("192.0.2.1", 9)  # of documentation: routed as any far address, and nothing is sent there
_TIMEOUT_S = 5.0
# Bridges of containers and virtual machines, and tunnels: nobody's phone is in there.
_INNER = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxc", "lxd", "podman", "cni", "flannel", "cali", "kube",
          "tun", "tap", "wg", "ppp", "utun", "tailscale", "zt", "ipsec", "nordlynx")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    address: str
    interface: str  # empty: nobody knows

    @property
    def inner(self) -> bool:
        """Of a bridge or a tunnel, by its name."""
        return self.interface.startswith(_INNER)

    def __str__(self) -> str:
        return f"{self.address} ({self.interface})" if self.interface else self.address


def own() -> list[Address]:
    """Every one but loopback, the likeliest first: of a real network before a bridge or a tunnel; among those the one
    that leads out of here.
    """
    return ordered(_of_ip() or [Address(each, "") for each in _of_names()], _leading_out())


def ordered(found: Iterable[Address], leading_out: str | None) -> list[Address]:
    known = list(found)
    if leading_out is not None and all(each.address != leading_out for each in known):
        known.append(Address(leading_out, ""))
    outside = [each for each in known if not each.address.startswith("127.")]
    return sorted(outside, key=lambda each: (each.inner, each.address != leading_out))


def _of_ip() -> Sequence[Address]:
    """As iproute2 tells; nothing where it is not installed (macOS)."""
    program = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        return []
    command = [program, "-j", "-4", "addr", "show", "up"]
    try:
        said = subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S).stdout  # noqa: S603 - a reading
        return read(json.loads(said))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return []


def read(links: Any) -> list[Address]:
    """Of the JSON of `ip -j addr`."""
    return [
        Address(str(each["local"]), str(link["ifname"]))
        for link in links
        for each in link.get("addr_info", ())
        if each["family"] == "inet"
    ]


def _of_names() -> list[str]:
    try:
        return list(
            dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET))
        )
    except OSError:
        return []


def _leading_out() -> str | None:
    """The address from which this machine would speak to the world; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])
