"""The guard: what nobody may ever send to support is seen first, and goes no further."""

from imconnect.guard.files import FileVerdict
from imconnect.guard.inspection import Guard, GuardUnavailable, Inspected
from imconnect.guard.tail import Tail

__all__ = ["FileVerdict", "Guard", "GuardUnavailable", "Inspected", "Tail"]
