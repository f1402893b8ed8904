"""What is typed into a gateway: printed once, when its credential is made, in the language of whoever types."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from credentials.address import PublicAddress
from credentials.rights import GatewayName

# Any moment will do for `since`; a gateway with a clock writes the moment at which it connected.
WILL_PAYLOAD = '{"state": "offline", "since": 1767225600000}'
BIRTH_PAYLOAD = '{"state": "online", "since": 1767225600000}'


@dataclass(frozen=True, slots=True)
class Spoken:
    """A facility that the gateway speaks for, with one of its points as an example."""

    facility: str
    point: str


_WORDS = {
    "zh": {
        "title": "网关 {name} 的接入参数：照此填入网关。密码只显示这一次。",
        "host": "服务器地址",
        "port": "端口",
        "tls": "TLS",
        "tls_on": "开启（TLS 1.2 或更高，验证服务器证书）",
        "tls_off": "关闭",
        "client_id": "客户端 ID",
        "user": "用户名",
        "password": "密码",
        "qos": "QoS",
        "telemetry": "遥测主题",
        "any_facility": "把 {设施} 换成设施的编号",
        "status": "状态主题",
        "status_note": "连接后发布，保留（retain）",
        "will": "遗嘱主题",
        "will_payload": "遗嘱内容",
        "will_note": "QoS 1，保留（retain）",
        "payload": "遥测内容",
        "try": "试一条",
        "open_wire": "警告：到该地址没有 TLS，密码以明文传输。只可用于本机试验。",
        "reload": "然后让 Mosquitto 重新读取文件：systemctl reload mosquitto，或 docker compose kill -s HUP broker",
    },
    "en": {
        "title": "Gateway {name}: type this into the gateway. The password is shown this once.",
        "host": "host",
        "port": "port",
        "tls": "TLS",
        "tls_on": "on (1.2 or newer, verify the server's certificate)",
        "tls_off": "off",
        "client_id": "client id",
        "user": "user name",
        "password": "password",
        "qos": "QoS",
        "telemetry": "telemetry topic",
        "any_facility": "put the facility's key for {facility}",
        "status": "status topic",
        "status_note": "publish after connecting, retained",
        "will": "last will topic",
        "will_payload": "last will payload",
        "will_note": "QoS 1, retained",
        "payload": "telemetry payload",
        "try": "try it",
        "open_wire": "Warning: no TLS to that address, the password travels in clear. For trials on one machine only.",
        "reload": "Then let Mosquitto read its files again: systemctl reload mosquitto, "
        "or docker compose kill -s HUP broker",
    },
}


def handout(name: GatewayName, password: str, address: PublicAddress, spoken: Sequence[Spoken], language: str) -> str:
    """`spoken` are the facilities the ledger says it speaks for; none when nobody asked the ledger."""
    say = _WORDS[language]
    placeholder = "{设施}" if language == "zh" else "{facility}"
    topics = [name.telemetry_topic(each.facility) for each in spoken] or [name.telemetry_topic(placeholder)]
    example = spoken[0] if spoken else Spoken(placeholder, "outlet_pressure")
    values = f'{{"values": {{"{example.point}": 1}}}}'
    rows = [
        (say["host"], address.host),
        (say["port"], str(address.port)),
        (say["tls"], say["tls_on"] if address.tls else say["tls_off"]),
        (say["client_id"], name.user),
        (say["user"], name.user),
        (say["password"], password),
        (say["qos"], "1"),
        *((say["telemetry"], topic) for topic in topics),
        *([] if spoken else [("", say["any_facility"])]),
        (say["payload"], values),
        (say["status"], f"{name.status_topic}  ({say['status_note']})"),
        ("", BIRTH_PAYLOAD),
        (say["will"], f"{name.status_topic}  ({say['will_note']})"),
        (say["will_payload"], WILL_PAYLOAD),
    ]
    lines = [say["title"].format(name=name), ""]
    lines += [f"  {label:<{_width(label, 20)}}{value}" for label, value in rows]
    if address.is_open_wire:
        lines += ["", say["open_wire"]]
    lines += ["", f"{say['try']}:", f"  {_command(name, password, address, topics[0], values)}", "", say["reload"]]
    return "\n".join(lines)


def _command(name: GatewayName, password: str, address: PublicAddress, topic: str, payload: str) -> str:
    words = ["mosquitto_pub", "-h", address.host, "-p", str(address.port)]
    if address.tls:
        words += ["--tls-use-os-certs"]
    words += ["-i", name.user, "-u", name.user, "-P", password, "-q", "1", "-t", topic, "-m", payload]
    return shlex.join(words)


def _width(label: str, wanted: int) -> int:
    """A Chinese character is two columns wide in a terminal."""
    return wanted - sum(1 for each in label if ord(each) > 0x2E80)
