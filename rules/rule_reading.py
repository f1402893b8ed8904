"""Reads the rules of a pack: every expression parsed, understood in the words of its pack, and able to speak at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.records import Severity
from rules.expression import deadband_clears
from rules.limits import deaf_comparisons
from rules.model import ANY_KIND, Pack, Rule
from rules.pack_reading import Draft, is_key
from rules.pack_text import Block
from rules.syntax import ExpressionError, Node
from rules.vocabulary import near, understand, vocabulary_of

# Which crew an order goes to. The site says who that is.
WORK_CLASSES = ("water_supply", "power", "elevator", "fire", "drainage", "environment", "communication", "security")

UNKNOWN_MAX_S = 600.0


@dataclass(frozen=True, slots=True)
class _Reader:
    """What the rules of one pack are read against."""

    pack: Pack
    packs: Mapping[str, Pack]


def read_rules(draft: Draft, packs: Mapping[str, Pack]) -> dict[str, Rule]:
    """The rules of one file; faults are noted on its page. `packs` holds every kind, still without rules."""
    reader = _Reader(draft.pack, packs)
    found: dict[str, Rule] = {}
    lines: dict[str, int] = {}
    for block in draft.block.listed("rules", "rule"):
        key = block.text("key")
        block.what = f"rule {key}" if key else "a rule without a key"
        if key in found:
            block.fault(f"there are two rules of this key (the first in line {lines[key]}); rename one", "key")
            continue
        rule = _rule(reader, block, key)
        block.done()
        if key:
            found[key], lines[key] = rule, block.line
    draft.block.done()
    return found


def _rule(reader: _Reader, block: Block, key: str) -> Rule:
    if key and not is_key(key):
        block.fault("`key` is lower-case letters, figures and underscores, beginning with a letter", "key")
    for_each = _for_each(reader, block)
    title = block.title("title")
    when_text, when = _expression(reader, block, "when", for_each)
    deadband = _deadband(reader, block, when, for_each)
    clear_text, clear = _expression(reader, block, "clear_when", for_each)
    suppress_text, suppress = _expression(reader, block, "suppress_when", for_each)
    return Rule(
        key=key,
        title=title,
        when=when,
        when_text=when_text,
        severity=block.choice("severity", Severity),
        work_class=_work_class(block),
        guidance=block.title("guidance"),
        source=block.text("source"),
        for_each=for_each,
        deadband=deadband,
        clear_when=clear if clear_text else None,
        clear_when_text=clear_text or None,
        on_delay_s=block.duration("on_delay", 0.0),
        off_delay_s=block.duration("off_delay", 0.0),
        latch=block.flag("latch"),
        suppress_when=suppress if suppress_text else None,
        suppress_when_text=suppress_text or None,
        unknown_max_s=block.duration("unknown_max", UNKNOWN_MAX_S),
        realarm_after_s=_realarm(block),
    )


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


def _expression(reader: _Reader, block: Block, key: str, for_each: str | None) -> tuple[str, Node]:
    """The text on one line and its tree; `false` stands in where there is none or it is wrong."""
    stand_in = understand("false", vocabulary_of(reader.pack, reader.packs, None))
    if key != "when" and not block.has(key):
        block.optional_text(key)
        return "", stand_in
    text = " ".join(block.text(key).split())
    if not text:
        return "", stand_in
    try:
        node = understand(text, vocabulary_of(reader.pack, reader.packs, for_each))
    except ExpressionError as error:
        block.fault(f"`{key}`, column {error.column}: {error.message}", key)
        return text, stand_in
    _check_limits(reader, block, key, node, for_each)
    return text, node


def _check_limits(reader: _Reader, block: Block, key: str, node: Node, for_each: str | None) -> None:
    for column, complaint in deaf_comparisons(node, reader.pack, reader.packs, for_each):
        block.fault(f"`{key}`, column {column}: this {complaint}", key)


def _deadband(reader: _Reader, block: Block, when: Node, for_each: str | None) -> float | None:
    deadband = block.optional_number("deadband")
    if deadband is None:
        return None
    if deadband <= 0:
        block.fault("`deadband` is above 0, in the unit of what is compared", "deadband")
        return None
    if block.has("clear_when"):
        block.fault("`deadband` and `clear_when` both say when it is over; keep one", "deadband")
        return None
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
