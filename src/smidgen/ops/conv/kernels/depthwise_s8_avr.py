"""Int8 depthwise convolution on 8-bit AVR."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv import avr
from smidgen.ops.conv.fields import window_overlap
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.kernel import Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg
from smidgen.targets.catalogue import Core

_MOST_COLUMNS = 255


class DepthwiseConv2DInt8Avr(Kernel):
    """Any int8 depthwise convolution that 16-bit indices reach."""

    name = "depthwise_s8_avr"
    op = DepthwiseConv2D
    requires = frozenset({"avr"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """See `avr.accepts`; windows of at most 255 columns."""
        del op
        return avr.accepts(signature) and signature.input(1).shape[2] <= _MOST_COLUMNS

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by channel (OHW); the input zero point moves into the bias."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        weights = signature.input(1).values[0].transpose(2, 0, 1)
        fields = (
            ("multiplier", signature.output.shape[3] // signature.input(0).shape[3]),
            ("windows", avr.windows(op, signature, weights, "OHW")),
        )
        return KernelCall(
            self.name,
            "smg_depthwise_s8_avr.h",
            "smg_depthwise_s8_avr",
            CStruct("smg_depthwise_s8_avr_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=window_overlap(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `avr.cost`."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        return avr.cost(op, signature, 25.0)


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8Avr(),)
