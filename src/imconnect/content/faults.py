"""What is wrong with a pack, told so that a support lead can put it right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to put right. `file` is relative to the pack; `line` counts from 1, 0 where the whole file is meant."""

    file: str
    line: int
    what: str
    cure: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}; {self.cure}"


class PackError(Exception):
    """The pack cannot be used. The message is one line: file, line, what is wrong and the cure."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault
