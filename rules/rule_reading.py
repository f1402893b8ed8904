"""Reads the rules of a pack: every expression parsed, understood in the words of its pack, and able to speak at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.records import Severity
from rules.company import asked, circles
from rules.expression import deadband_clears, parse
from rules.limits import deaf_comparisons
from rules.model import ANY_KIND, Guidance, Pack, Rule, Title
from rules.pack_reading import Draft, is_key
from rules.pack_text import Block
from rules.syntax import Boolean, ExpressionError, Node, names
from rules.vocabulary import BY_OUR_CLOCK, SELF, near, understand, vocabulary_of

# Which crew an order goes to. The site says who that is.
WORK_CLASSES = (
    "water_supply",
    "power",
    "elevator",
    "fire",
    "drainage",
    "environment",
    "communication",
    "security",
    "general",
)

UNKNOWN_MAX_S = 600.0

_NO_GUIDANCE = Guidance(Title("", ""), Title("", ""), Title("", ""))  # stands in for guidance with a fault
_NEVER = Boolean(value=False)  # stands in for a condition with a fault


@dataclass(frozen=True, slots=True)
class _Head:
    """What `raised` has to know of a rule before all are read."""

    for_each: str | None
    is_by_our_clock: bool


@dataclass(frozen=True, slots=True)
class _Reader:
    """What the rules of one pack are read against."""

    pack: Pack
    packs: Mapping[str, Pack]
    suspect: frozenset[str]
    heads: Mapping[str, _Head]  # every rule of the pack

    def askable(self, key: str) -> Mapping[str, str]:
        """The rules that `raised` knows, each with the reason why this rule may not ask after it."""
        asking = self.heads[key]
        return {
            other: _why_not(asking, head) if other != key else "it is this rule" for other, head in self.heads.items()
        }


def _why_not(asking: _Head, other: _Head) -> str:
    if asking.is_by_our_clock or other.is_by_our_clock:
        return "one of them is judged by our clock, the other by the device's, and neither can wait for the other"
    if other.for_each not in (None, asking.for_each):
        return f"it holds for each {other.for_each}, and this rule does not"
    return ""


def read_rules(draft: Draft, packs: Mapping[str, Pack]) -> dict[str, Rule]:
    """The rules of one file; faults are noted on its page. `packs` holds every kind, still without rules."""
    blocks = [(_key(block), block) for block in draft.block.listed("rules", "rule")]
    heads: dict[str, _Head] = {}
    for key, block in blocks:
        heads.setdefault(key, _Head(block.optional_text("for_each"), _by_our_clock(block)))
    reader = _Reader(draft.pack, packs, frozenset(draft.suspect), heads)
    found: dict[str, Rule] = {}
    read: dict[str, Block] = {}
    for key, block in blocks:
        if key in read:
            block.fault(f"there are two rules of this key (the first in line {read[key].line}); rename one", "key")
            continue
        rule = _rule(reader, block, key)
        block.done()
        if key:
            found[key], read[key] = rule, block
    _no_circles(found, read)
    draft.block.done()
    return found


def _key(block: Block) -> str:
    key = block.text("key")
    block.what = f"rule {key}" if key else "a rule without a key"
    return key


def _by_our_clock(block: Block) -> bool:
    """Whether its condition is about how a gateway is heard, which is judged by our clock and not by the device's."""
    if block.flag("by_calendar"):
        return True
    try:
        return any(name.scope is None and name.key in BY_OUR_CLOCK for name in names(parse(block.text("when"))))
    except ExpressionError:
        return False


def _no_circles(found: Mapping[str, Rule], blocks: Mapping[str, Block]) -> None:
    for circle in circles({key: asked(rule.suppress_when) for key, rule in found.items()}):
        way = " -> ".join([*circle, circle[0]])
        blocks[circle[0]].fault(f"these rules would hide each other in a circle: {way}; break it", "suppress_when")


def _rule(reader: _Reader, block: Block, key: str) -> Rule:
    if key and not is_key(key):
        block.fault("`key` is lower-case letters, figures and underscores, beginning with a letter", "key")
    for_each = _for_each(reader, block)
    title = block.title("title")
    by_calendar = _by_calendar(reader, block)
    when_text, when = ("", None) if by_calendar else _expression(reader, block, "when", for_each)
    deadband = _deadband(reader, block, when, for_each)
    clear_text, clear = _expression(reader, block, "clear_when", for_each)
    suppress_text, suppress = _expression(reader, block, "suppress_when", for_each, reader.askable(key))
    severity = block.choice("severity", Severity) or Severity.WARNING
    return Rule(
        key=key,
        title=title,
        when=when or _NEVER,
        when_text=when_text,
        severity=severity,
        work_class=_work_class(block),
        guidance=_guidance(block),
        source=block.text("source"),
        clause=block.optional_text("clause"),
        for_each=for_each,
        deadband=deadband,
        clear_when=clear,
        clear_when_text=clear_text or None,
        on_delay_s=block.duration("on_delay", 0.0),
        off_delay_s=block.duration("off_delay", 0.0),
        latch=block.flag("latch"),
        by_calendar=by_calendar,
        can_wait=_can_wait(block, severity),
        suppress_when=suppress,
        suppress_when_text=suppress_text or None,
        unknown_max_s=block.duration("unknown_max", UNKNOWN_MAX_S),
        realarm_after_s=_realarm(block),
    )


def _by_calendar(reader: _Reader, block: Block) -> bool:
    """Such a rule is judged where a calendar is, of rounds or of the ages of equipment: it has words and a severity, and no expression."""
    if not block.flag("by_calendar"):
        return False
    if reader.pack.kind != ANY_KIND:
        block.fault("only the pack `any` has rules of a calendar", "by_calendar")
    for key in ("when", "clear_when", "suppress_when", "deadband", "on_delay", "off_delay", "for_each", "latch"):
        if block.has(key):
            block.fault(f"the calendar knows when it begins and ends: leave `{key}` out", key)
    return True


def _for_each(reader: _Reader, block: Block) -> str | None:
    for_each = block.optional_text("for_each")
    if for_each is None:
        return None
    if reader.pack.kind == ANY_KIND:
        if for_each != ANY_KIND:
            block.fault("in the pack `any` a rule holds for each part of any kind: write for_each: any", "for_each")
        return ANY_KIND
    if for_each not in reader.pack.parts:
        kinds = ", ".join(reader.pack.parts) or "none"
        hint = near(for_each, reader.pack.parts)
        block.fault(f"there is no part kind {for_each}{hint}; this pack has {kinds}", "for_each")
    return for_each


def _expression(
    reader: _Reader, block: Block, key: str, for_each: str | None, rules: Mapping[str, str] | None = None
) -> tuple[str, Node | None]:
    """The text on one line and its tree; no tree where there is no text or it is wrong."""
    text = " ".join((block.text(key) if key == "when" else block.optional_text(key) or "").split())
    if not text:
        return "", None
    is_suspect = _stumbles_over(text, reader, for_each)
    try:
        node = understand(text, vocabulary_of(reader.pack, reader.packs, for_each, rules))
    except ExpressionError as error:
        if not is_suspect:
            block.fault(f"`{key}`, column {error.column}: {error.message}", key)
        return text, None
    deaf = [] if is_suspect else list(deaf_comparisons(node, reader.pack, reader.packs, for_each))
    for column, complaint in deaf:
        block.fault(f"`{key}`, column {column}: this {complaint}", key)
    return text, None if deaf or is_suspect else node


def _stumbles_over(text: str, reader: _Reader, for_each: str | None) -> bool:
    """Whether it names something that has a fault of its own."""
    try:
        named = names(parse(text))
    except ExpressionError:
        return False
    suspect = set(reader.suspect)
    if reader.pack.kind != ANY_KIND and for_each is not None and for_each not in reader.pack.parts:
        suspect.add(SELF)
    return any(word in suspect for name in named for word in (name.scope, name.key))


def _deadband(reader: _Reader, block: Block, when: Node | None, for_each: str | None) -> float | None:
    deadband = block.optional_number("deadband")
    if deadband is None:
        return None
    if deadband <= 0:
        block.fault("`deadband` is above 0, in the unit of what is compared", "deadband")
        return None
    if block.has("clear_when"):
        block.fault("`deadband` and `clear_when` both say when it is over; keep one", "deadband")
        return None
    if when is None:
        return deadband
    try:
        clears = deadband_clears(when, deadband)
    except ExpressionError:
        block.fault(
            "`deadband` needs a single comparison in `when`, with < <= > or >=; write `clear_when` instead", "deadband"
        )
        return None
    for _, complaint in deaf_comparisons(clears, reader.pack, reader.packs, for_each):
        block.fault(f"with this deadband the alarm's end {complaint}", "deadband")
    return deadband


def _guidance(block: Block) -> Guidance:
    inner = block.block("guidance")
    if inner is None:
        return _NO_GUIDANCE
    guidance = Guidance(means=inner.title("means"), check=inner.title("check"), call=inner.title("call"))
    inner.done()
    return guidance


def _can_wait(block: Block, severity: Severity) -> bool:
    can_wait = block.flag("can_wait")
    if can_wait and severity is not Severity.WARNING:
        block.fault(f"a {severity} alarm cannot wait; only a warning may have `can_wait`", "can_wait")
        return False
    return can_wait


def _work_class(block: Block) -> str:
    work_class = block.text("work_class")
    if work_class and work_class not in WORK_CLASSES:
        hint = near(work_class, WORK_CLASSES)
        block.fault(f"there is no work class {work_class}{hint}; it is one of {', '.join(WORK_CLASSES)}", "work_class")
    return work_class


def _realarm(block: Block) -> float | None:
    after_s = block.optional_duration("realarm_after")
    if after_s == 0.0:
        block.fault("`realarm_after` is longer than nothing", "realarm_after")
        return None
    return after_s
