"""What can be chosen about post-training quantisation."""

from __future__ import annotations

from dataclasses import dataclass

from smidgen.core.errors import UnknownName
from smidgen.quantize.calibration import RangeMethod


@dataclass(frozen=True, slots=True)
class QuantizeConfig:
    """Options of `quantize`; the defaults follow the TensorFlow Lite specification."""

    method: RangeMethod | str = RangeMethod.MINMAX
    """How activation ranges are found."""
    percentile: float = 99.99
    """Per cent of the values kept at either end, for `RangeMethod.PERCENTILE`."""
    per_channel_dense: bool = True
    """Whether dense layers have a weight scale for each output, as convolutions always do."""
    float_io: bool = False
    """Whether the graph takes and gives float32 and converts itself."""
    correct_bias: bool = False
    """Whether biases make up for the mean error that rounding the weights causes."""
    equalize: bool = False
    """Whether weight ranges are evened out between consecutive layers before quantising."""

    def __post_init__(self) -> None:
        if not isinstance(self.method, RangeMethod):
            known = {method.value: method for method in RangeMethod}
            if self.method not in known:
                raise UnknownName("range method", str(self.method), known)
            object.__setattr__(self, "method", known[self.method])
        if not 50.0 < self.percentile <= 100.0:
            raise ValueError(f"percentile {self.percentile} is not in (50, 100]")

    @property
    def range_method(self) -> RangeMethod:
        """`method` as the enumeration."""
        assert isinstance(self.method, RangeMethod)
        return self.method
