"""The description of the interface as committed in openapi.json: the console's client is made from it."""

import json

from api.app import PREFIX, routes
from api.description import description


def render() -> str:
    """The text of openapi.json."""
    return json.dumps(description(routes(), PREFIX), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
