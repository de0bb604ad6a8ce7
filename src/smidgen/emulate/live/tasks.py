"""The tasks of MLPerf Tiny, as far as they say how a host hands inputs to a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from smidgen.core.errors import UnknownName


class Encoding(Enum):
    """What bytes a host sends for one inference, and what is answered."""

    RAW = "the inputs as the model holds them; answered by the outputs"
    PIXELS = "as RAW, but for an int8 input bytes from 0 to 255, less 128 on the device"
    FEATURES = "float32 numbers, quantised on the device; answered by the mean squared error"


@dataclass(frozen=True, slots=True)
class Task:
    """What a device answers as its model ("": the model's own name), and how inputs are sent."""

    name: str
    encoding: Encoding


OWN = Task("", Encoding.RAW)
# github.com/mlcommons/tiny, benchmark/reference_submissions/*/submitter_implemented.cpp
TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "kws01": Task("kws01", Encoding.RAW),
        "ic01": Task("ic01", Encoding.PIXELS),
        "vww01": Task("vww01", Encoding.PIXELS),
        "ad01": Task("ad01", Encoding.FEATURES),
    }
)


def task(name: str) -> Task:
    """The task called `name`, or a model's own for ""; raises UnknownName."""
    if not name:
        return OWN
    if name not in TASKS:
        raise UnknownName("task", name, TASKS)
    return TASKS[name]
