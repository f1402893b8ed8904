"""The page that anybody sees who opens a tag's link: plain HTML for any browser on any phone, without a script. Pure.

Everything on it is in the one document; nothing is loaded, from here or elsewhere. What comes from the ledger or from
the form is escaped where it is written (`_e`).
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from string import Template
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from api.catalogue import CATALOGUE
from api.shapes import Name
from ledger.public_reports import PublicProblem

Language = Literal["zh", "en"]
WORDS_CHARS_MAX = 1000
CONTACT_CHARS_MAX = 100

_STYLE = """
:root{color-scheme:light dark;--ink:#1a1d21;--soft:#5b6470;--line:#d5dae1;--ground:#f2f4f7;--card:#fff;--deed:#0b5fb0;
--deed-ink:#fff;--bad:#a8071a;--bad-ground:#fff1f0;--good:#125c2c;--good-ground:#eefaf1}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a7b0bb;--line:#3a414b;--ground:#14171b;--card:#1e2329;
--deed:#6db3f5;--deed-ink:#0b1b2b;--bad:#ff9c97;--bad-ground:#3a1a1c;--good:#8fe0ab;--good-ground:#15301f}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:17px/1.5 system-ui,-apple-system,"PingFang SC",
"Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:34rem;margin:0 auto;padding:16px 16px 40px}
header{display:flex;justify-content:space-between;align-items:center;color:var(--soft);font-size:15px;min-height:44px}
header a{padding:10px 0 10px 16px}
a{color:var(--deed)}
h1{font-size:26px;line-height:1.25;margin:4px 0}
h2{font-size:19px;margin:0 0 12px}
.place{margin:0;color:var(--soft);overflow-wrap:anywhere}
section,form{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px;margin-top:16px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 16px;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.bad,.good{border-radius:12px;padding:14px 16px;margin:16px 0 0}
.bad{color:var(--bad);background:var(--bad-ground)}
.good{color:var(--good);background:var(--good-ground)}
.bad p,.good p{margin:6px 0 0}
fieldset{border:0;margin:0 0 16px;padding:0}
legend,.label{font-weight:600;padding:0;margin-bottom:8px;display:block}
.choice{display:flex;align-items:center;gap:12px;min-height:48px;border-top:1px solid var(--line)}
.choice input{width:22px;height:22px;margin:0;flex:none;accent-color:var(--deed)}
.field{display:block;margin-bottom:16px}
textarea,input[type=text],input[type=file]{width:100%;font:inherit;color:inherit;background:var(--ground);
border:1px solid var(--soft);border-radius:8px;padding:11px 12px;min-height:48px}
textarea{min-height:96px;resize:vertical}
button{width:100%;min-height:52px;border:0;border-radius:10px;background:var(--deed);color:var(--deed-ink);
font:inherit;font-weight:600}
.urgent{display:block;margin:0 0 16px;font-weight:600}
small{color:var(--soft);font-size:14px}
:focus-visible{outline:3px solid var(--deed);outline-offset:2px}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
MANNERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the link is the tag
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}
_FRAME = Template(
    '<!doctype html>\n<html lang="$html_language"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<meta name="robots" content="noindex"><meta name="format-detection" content="telephone=no">'
    "<title>$title</title><style>$style</style></head>"
    '<body><main><header><span>$service</span><a href="?lang=$other" hreflang="$other">$switch</a></header>'
    "$body</main></body></html>\n"
)


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent, to be shown again with what is wrong."""

    id: UUID
    problem: PublicProblem | None = None
    words: str = ""
    contact: str = ""
    wrong: Name | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a stranger is told of a facility: what hangs on the wall anyway, when it was looked at, what is reported."""

    name: Name
    place: Name
    kind: Name
    code: str
    zone: str
    checked_at: datetime | None
    was_in_order: bool
    reported_at: datetime | None = None  # what a stranger reported and nobody has put right yet
    sent: int | None = None  # the work order that the form just sent is part of
    filled: Filled | None = field(default=None)


def text(name: Name, language: Language) -> str:
    return name.zh if language == "zh" else name.en


def _e(said: str) -> str:
    return escape(said, quote=True)


def _say(key: str, language: Language) -> str:
    return _e(text(CATALOGUE.text("public_page", key), language))


def language_of(asked: str | None, accepted: str) -> Language:
    """What the link asks for, else the first of ours that the browser accepts; Chinese for everybody else."""
    if asked in ("zh", "en"):
        return "en" if asked == "en" else "zh"
    weighed: list[tuple[float, int, Language]] = []
    for place, one in enumerate(accepted.lower().split(",")[:20]):
        tag, _, rest = one.strip().partition(";")
        primary = tag.strip().partition("-")[0]
        if primary in ("zh", "en"):
            weighed.append((-_weight(rest), place, "en" if primary == "en" else "zh"))
    return min(weighed)[2] if weighed else "zh"


def _weight(rest: str) -> float:
    try:
        return float(rest.strip().removeprefix("q=")) if rest.strip() else 1.0
    except ValueError:
        return 0.0


def facility_page(shown: Shown, language: Language) -> str:
    name = text(shown.name, language)
    body = (
        f"<h1>{_e(name)}</h1><p class=place>{_e(text(shown.place, language))}</p>"
        f"{_sent(shown, language)}{_standing(shown, language)}{_facts(shown, language)}"
    )
    if shown.filled is not None:
        body += _form(shown.filled, language)
    return _framed(name, body, language)


def plain_page(key: str, language: Language) -> str:
    """A page that only says something: `<key>_title` and `<key>` of the words."""
    title = text(CATALOGUE.text("public_page", f"{key}_title"), language)
    return _framed(title, f"<h1>{_e(title)}</h1><section>{_say(key, language)}</section>", language)


def _framed(title: str, body: str, language: Language) -> str:
    return _FRAME.substitute(
        html_language="zh-CN" if language == "zh" else "en",
        title=_e(title),
        style=_STYLE,
        service=_say("service", language),
        other="en" if language == "zh" else "zh",
        switch="English" if language == "zh" else "中文",
        body=body,
    )


def _facts(shown: Shown, language: Language) -> str:
    checked = _say("never_checked", language)
    if shown.checked_at is not None:
        outcome = _say("in_order" if shown.was_in_order else "defective", language)
        checked = f"{_day(shown.checked_at, shown.zone, language)}<br>{outcome}"
    return (
        f"<section><dl><dt>{_say('kind', language)}</dt><dd>{_e(text(shown.kind, language))}</dd>"
        f"<dt>{_say('last_check', language)}</dt><dd>{checked}</dd>"
        f"<dt>{_say('code', language)}</dt><dd>{_e(shown.code)}</dd></dl></section>"
    )


def _sent(shown: Shown, language: Language) -> str:
    if shown.sent is None:
        return ""
    number = _say("sent_number", language).replace("{number}", str(shown.sent))
    return f'<div class=good role="status"><strong>{_say("sent", language)}</strong><p>{number}</p></div>'


def _standing(shown: Shown, language: Language) -> str:
    if shown.reported_at is None or shown.sent is not None:
        return ""
    since = _say("reported", language).replace("{day}", _day(shown.reported_at, shown.zone, language))
    return f"<div class=good>{since}</div>"


def _form(filled: Filled, language: Language) -> str:
    wrong = ""
    if filled.wrong is not None:
        wrong = f'<div class=bad role="alert">{_e(text(filled.wrong, language))}</div>'
    choices = "".join(_choice(each, filled, language) for each in PublicProblem)
    return (
        f'{wrong}<form method=post enctype="multipart/form-data" action="?lang={language}">'
        f"<h2>{_say('report', language)}</h2>"
        f'<span class=urgent>{_say("urgent", language)} <a href="tel:119">119</a></span>'
        f'<input type=hidden name=report value="{filled.id}">'
        f"<fieldset><legend>{_say('problem', language)}</legend>{choices}</fieldset>"
        f"<label class=field><span class=label>{_say('words', language)}</span>"
        f"<textarea name=words maxlength={WORDS_CHARS_MAX} rows=3>{_e(filled.words)}</textarea></label>"
        f"<label class=field><span class=label>{_say('photo', language)}</span>"
        f'<input type=file name=photo accept="image/*"></label>'
        f"<label class=field><span class=label>{_say('contact', language)}</span>"
        f'<input type=text name=contact autocomplete=tel maxlength={CONTACT_CHARS_MAX} value="{_e(filled.contact)}">'
        f"<small>{_say('contact_use', language)}</small></label>"
        f"<button type=submit>{_say('send', language)}</button></form>"
    )


def _choice(problem: PublicProblem, filled: Filled, language: Language) -> str:
    checked = " checked" if problem is filled.problem else ""
    words = _e(text(CATALOGUE.text("public_problem", problem), language))
    return f'<label class=choice><input type=radio name=problem value="{problem}" required{checked}>{words}</label>'


def _day(moment: datetime, zone: str, language: Language) -> str:
    here = moment.astimezone(ZoneInfo(zone))
    return f"{here.year}年{here.month}月{here.day}日" if language == "zh" else f"{here:%d %b %Y}"
