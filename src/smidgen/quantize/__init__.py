"""Post-training quantisation of float graphs to int8, and where its error comes from."""

from smidgen.quantize.calibration import Calibration, RangeMethod, calibrate
from smidgen.quantize.config import QuantizeConfig
from smidgen.quantize.equalization import equalize
from smidgen.quantize.ptq import quantize
from smidgen.quantize.report import Error, LayerReport, QuantizationReport, attribute

__all__ = [
    "Calibration",
    "Error",
    "LayerReport",
    "QuantizationReport",
    "QuantizeConfig",
    "RangeMethod",
    "attribute",
    "calibrate",
    "equalize",
    "quantize",
]
