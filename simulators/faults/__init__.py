"""The catalogue of faults: what each does to plant or fleet, and the alarms that must, may and must not follow.

Times are the delays of the rules, plus how long the plant takes, plus what reporting on change and a broker add.
"""

from collections.abc import Mapping

from simulators.faults import booster, distribution, drainage, elevator, fire, gateway, generator
from simulators.scene import Fault

CATALOGUE: Mapping[str, Fault] = {
    fault.key: fault
    for module in (booster, distribution, elevator, fire, generator, drainage, gateway)
    for fault in module.FAULTS
}
