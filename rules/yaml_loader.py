"""YAML read by libyaml's scanner, which takes an eighth of the time, and composed by Python's composer, which stops at a
text nested a hundred thousand levels deep where libyaml's own binding overflows the stack and ends the process.
"""

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver


class Loader(Composer, CParser, SafeConstructor, Resolver):
    """In the place of yaml.SafeLoader: plain values only."""

    def __init__(self, stream: str) -> None:
        CParser.__init__(self, stream)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)


def compose(text: str) -> yaml.Node | None:
    """The text's nodes. Raises yaml.YAMLError in the words, and with the line, of Python's own scanner: libyaml points
    past the end of an unclosed bracket's line.
    """
    try:
        return Loader(text).get_single_node()
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def load(text: str) -> object:
    """The one document's plain values. Raises yaml.YAMLError."""
    return Loader(text).get_single_data()
