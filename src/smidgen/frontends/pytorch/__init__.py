"""PyTorch modules and exported programs become graphs."""

from smidgen.frontends.pytorch.capture import from_exported, from_module

__all__ = ["from_exported", "from_module"]
