"""What can go wrong with a simulation that a person can do something about.

SimulationError
├── ScriptError         the script cannot be played on this estate
└── BrokerUnreachable   no connection to the broker at the start; later ones are waited out
"""


class SimulationError(Exception):
    """The message says what to change."""


class ScriptError(SimulationError):
    """One line for each reason."""


class BrokerUnreachable(SimulationError):
    """Says which address and why."""
