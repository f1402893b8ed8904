"""Rules that ask whether another rule's alarm stands: who leads whom, who is judged together, and in which order.

`raised('outlet_pressure_very_low')` in a suppression makes that rule the leader and this one its follower. They go
through time together, leaders first, so that a follower meets every turn of its leader at the moment it took place,
whether a batch came whole or in pieces.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ledger.records import Condition
from rules.model import Rule
from rules.places import Places
from rules.syntax import Call, Label, Node, walk
from rules.vocabulary import RAISED
from rules.watch import Watch


def asked(node: Node | None) -> tuple[str, ...]:
    """The keys of the rules an expression asks after, in the order written, each once."""
    if node is None:
        return ()
    calls = (each for each in walk(node) if isinstance(each, Call) and each.function == RAISED)
    return tuple(dict.fromkeys(each.text for call in calls for each in call.arguments if isinstance(each, Label)))


def kin(rules: Mapping[str, Rule], key: str) -> frozenset[str]:
    """The rules that hide this one or hide behind it: with it they tell of one cause."""
    if key not in rules:
        return frozenset()
    return frozenset([*asked(rules[key].suppress_when)]) | {
        each.key for each in rules.values() if key in asked(each.suppress_when)
    }


def circles(leaders: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Every circle in which rules would wait for each other, each told once, beginning where the pack does."""
    found: list[list[str]] = []
    done: set[str] = set()

    def follow(key: str, path: list[str]) -> None:
        if key in path:
            found.append(path[path.index(key) :])
        elif key not in done:
            for leader in leaders.get(key, ()):
                follow(leader, [*path, key])
            done.add(key)

    for key in leaders:
        follow(key, [])
    return found


def ranks(rules: Iterable[Rule]) -> Mapping[str, int]:
    """How many leaders stand one above another over each rule; 0: it asks after none."""
    leaders = {rule.key: asked(rule.suppress_when) for rule in rules}
    found: dict[str, int] = {}

    def rank(key: str) -> int:
        if key not in found:
            found[key] = 1 + max((rank(leader) for leader in leaders.get(key, ())), default=-1)
        return found[key]

    for key in leaders:
        rank(key)
    return found


def companies(watches: Sequence[Watch]) -> Mapping[int, Sequence[Watch]]:
    """By condition, all that must go through time together with it, itself included, leaders first. `watches` stand
    leaders first; conditions that neither lead nor follow are absent.
    """
    heads: dict[int, int] = {}

    def head(number: int) -> int:
        while heads.setdefault(number, number) != number:
            number = heads[number]
        return number

    for watch in watches:
        for leader in watch.leaders:
            heads[head(watch.condition_id)] = head(leader.condition_id)
    together: dict[int, list[Watch]] = defaultdict(list)
    for watch in watches:
        if watch.condition_id in heads:
            together[head(watch.condition_id)].append(watch)
    return {number: together[head(number)] for number in list(heads)}


def in_turn(watches: Sequence[Watch], of: Mapping[int, Sequence[Watch]]) -> Mapping[int, int]:
    """By condition, its turn when several are judged at a tick: companies in order of their first condition, leaders
    first in each. Who comes up at a tick is found by chance of what was looked at when: that must not show.
    """
    found: dict[int, int] = {}
    for watch in sorted(watches, key=lambda watch: watch.condition_id):
        for each in of.get(watch.condition_id, (watch,)):
            found.setdefault(each.condition_id, len(found))
    return found


def with_company(watches: Sequence[Watch], of: Mapping[int, Sequence[Watch]]) -> Sequence[Watch]:
    """These and whom they go through time with, each once, leaders before their followers."""
    if not any(watch.condition_id in of for watch in watches):
        return watches
    found: dict[int, Watch] = {}
    for watch in watches:
        for each in of.get(watch.condition_id, (watch,)):
            found[each.condition_id] = each
    return tuple(found.values())


def leaders_first(conditions: Sequence[Condition], places: Places) -> list[tuple[Condition, Sequence[str]]]:
    """The conditions with the rules each asks after; whoever is asked after stands before."""
    found: list[tuple[int, Condition, Sequence[str]]] = []
    by_kind: dict[str, tuple[Mapping[str, int], Mapping[str, Sequence[str]]]] = {}
    for condition in conditions:
        facility = places.facilities.get(condition.facility_id)
        if facility is None:
            continue
        if facility.kind not in by_kind:
            rules = places.rules(facility)
            by_kind[facility.kind] = ranks(rules), {rule.key: asked(rule.suppress_when) for rule in rules}
        rank_of, asks = by_kind[facility.kind]
        found.append((rank_of.get(condition.rule_key, 0), condition, asks.get(condition.rule_key, ())))
    found.sort(key=lambda each: each[0])
    return [(condition, asks) for _, condition, asks in found]


def end_step(judged: Iterable[Watch]) -> None:
    """Everyone who asks after these has seen how they turned."""
    for watch in judged:
        watch.turns = ()
