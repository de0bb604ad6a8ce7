"""What can be chosen about post-training quantisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnknownName
from smidgen.quantize.calibration import RangeMethod

PRECISIONS: Mapping[str, DType] = {
    "int8": DType.INT8,
    "int16": DType.INT16,
    "float": DType.FLOAT32,
}
"""The types of a layer's activations, by the names that configurations use.

Weights of int8 and int16 layers are int8; biases are int32 and int64.
"""


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
    activations: str = "int8"
    """"int8", or "int16" for the 16x8 scheme: int16 activations, int8 weights, int64 biases."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Other precisions ("int8", "int16", "float") by name of a layer, or by kind of op."""

    def __post_init__(self) -> None:
        if not isinstance(self.method, RangeMethod):
            known = {method.value: method for method in RangeMethod}
            if self.method not in known:
                raise UnknownName("range method", str(self.method), known)
            object.__setattr__(self, "method", known[self.method])
        if not 50.0 < self.percentile <= 100.0:
            raise ValueError(f"percentile {self.percentile} is not in (50, 100]")
        if self.activations not in ("int8", "int16"):
            raise UnknownName("activation type", self.activations, ("int8", "int16"))
        for precision in self.keep.values():
            if precision not in PRECISIONS:
                raise UnknownName("precision", precision, PRECISIONS)

    @property
    def range_method(self) -> RangeMethod:
        """`method` as the enumeration."""
        assert isinstance(self.method, RangeMethod)
        return self.method

    @property
    def dtype(self) -> DType:
        """The activations' type where `keep` does not say otherwise."""
        return PRECISIONS[self.activations]
