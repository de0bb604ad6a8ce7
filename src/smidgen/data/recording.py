"""One recording: what some sensors saw over a stretch of time, and what it was."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Samples of one or more sensor channels, taken at one rate.

    Attributes:
        name: What messages call it; unique within its label and split when it is written.
        samples: float32 [time, channels], finite, in the sensor's own units.
        rate_hz: Samples per second and channel.
        channels: One name per column of `samples`.
        label: The class it belongs to, or None where that is not known.
        group: The subject or session it came from. Recordings of one group never end up on both
            sides of a split; None means that it stands for itself.

    Raises:
        DatasetError: The samples are not two-dimensional, empty, not finite, or do not fit the
            channel names; or the rate is not a positive number.
    """

    name: str
    samples: Array
    rate_hz: float
    channels: tuple[str, ...]
    label: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        samples = _as_float32(self.name, self.samples)
        _check_shape(self.name, samples, self.channels)
        _check_finite(self.name, samples, self.channels)
        if not (isfinite(self.rate_hz) and self.rate_hz > 0):
            raise DatasetError(
                f"recording {self.name!r}",
                f"the sampling rate is {self.rate_hz} Hz",
                "give a positive number of samples per second",
            )
        object.__setattr__(self, "samples", samples)

    @property
    def duration_s(self) -> float:
        """How long it lasts, in seconds."""
        return len(self.samples) / self.rate_hz

    @property
    def own_group(self) -> str:
        """The group that a split keeps together: `group`, or else the recording itself."""
        return self.name if self.group is None else self.group


def _as_float32(name: str, samples: Array) -> Array:
    try:
        # A value beyond float32 becomes infinite and is reported as that, with its place.
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(samples, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"recording {name!r}", "the samples are not numbers", "use a numeric array"
        ) from error


def _check_shape(name: str, samples: Array, channels: tuple[str, ...]) -> None:
    if samples.ndim != 2:
        raise DatasetError(
            f"recording {name!r}",
            f"the samples have {samples.ndim} dimensions, not 2",
            "arrange them as [time, channels]",
        )
    if samples.shape[1] != len(channels):
        raise DatasetError(
            f"recording {name!r}",
            f"it has {samples.shape[1]} channels, but {len(channels)} channel names",
            "name each channel once",
        )
    if samples.size == 0:
        raise DatasetError(f"recording {name!r}", "it has no samples", "remove it or record again")


def _check_finite(name: str, samples: Array, channels: tuple[str, ...]) -> None:
    finite = np.isfinite(samples)
    if finite.all():
        return
    row, column = np.argwhere(~finite)[0]
    raise DatasetError(
        f"recording {name!r}",
        f"sample {row} of channel {channels[column]!r} is NaN, infinite or beyond float32",
        "remove or interpolate the bad samples",
    )
