"""What was drawn of a report is drawn once, and the shelf never holds more than it may."""

from inspection.report_shelf import Shelf


def test_what_was_drawn_is_drawn_once() -> None:
    shelf, drawn = Shelf(), list[str]()

    def draw(name: str) -> bytes:
        drawn.append(name)
        return name.encode()

    for name in ("zh", "en", "zh", "zh"):
        assert shelf.drawn((1, name), lambda name=name: draw(name)) == name.encode()
    assert drawn == ["zh", "en"]


def test_the_least_asked_for_makes_room() -> None:
    shelf = Shelf(bytes_max=10)
    for key in ("a", "b"):
        shelf.drawn(key, lambda: bytes(5))
    assert shelf.get("a") is not None
    shelf.drawn("c", lambda: bytes(5))
    assert [shelf.get(each) is not None for each in ("a", "b", "c")] == [True, False, True]
    assert len(shelf.drawn("larger than the shelf", lambda: bytes(11))) == 11
    assert [shelf.get(each) is not None for each in ("a", "c", "larger than the shelf")] == [True, True, False]
