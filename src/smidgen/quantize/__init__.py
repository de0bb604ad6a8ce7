"""Post-training quantisation of float graphs, mixed precision, and where its error comes from."""

from smidgen.quantize.budget import Budget, BudgetResult, Promotion, quantize_to_budget
from smidgen.quantize.calibration import Calibration, RangeMethod, calibrate
from smidgen.quantize.config import QuantizeConfig
from smidgen.quantize.equalization import equalize
from smidgen.quantize.ptq import quantize
from smidgen.quantize.report import Error, LayerReport, QuantizationReport, attribute

__all__ = [
    "Budget",
    "BudgetResult",
    "Calibration",
    "Error",
    "LayerReport",
    "Promotion",
    "QuantizationReport",
    "QuantizeConfig",
    "RangeMethod",
    "attribute",
    "calibrate",
    "equalize",
    "quantize",
    "quantize_to_budget",
]
