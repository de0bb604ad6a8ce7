"""PyTorch models of time series: building, training and judging them.

PyTorch is imported when something that needs it is first used, not when this package is imported;
where it is missing, that raises `MissingExtra`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smidgen.core.errors import MissingExtra
from smidgen.train.config import (
    EpochReport,
    NetworkConfig,
    Progress,
    Stage,
    TrainingConfig,
)
from smidgen.train.scores import accuracy, confusion_matrix, plot_confusion

if TYPE_CHECKING:
    from smidgen.train.crossvalidation import cross_validate
    from smidgen.train.fitting import TrainingResult, fit
    from smidgen.train.network import (
        ConvNet,
        build_network,
        count_macs,
        count_parameters,
        export_program,
        fold_standardisation,
        predict,
    )

_LAZY = {
    "ConvNet": "network",
    "TrainingResult": "fitting",
    "build_network": "network",
    "count_macs": "network",
    "count_parameters": "network",
    "cross_validate": "crossvalidation",
    "export_program": "network",
    "fit": "fitting",
    "fold_standardisation": "network",
    "predict": "network",
}

__all__ = [
    "ConvNet",
    "EpochReport",
    "NetworkConfig",
    "Progress",
    "Stage",
    "TrainingConfig",
    "TrainingResult",
    "accuracy",
    "build_network",
    "confusion_matrix",
    "count_macs",
    "count_parameters",
    "cross_validate",
    "export_program",
    "fit",
    "fold_standardisation",
    "plot_confusion",
    "predict",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("torch", "train", "training a network") from error
