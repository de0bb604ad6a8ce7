"""Int8 convolution on 8-bit AVR."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv import avr
from smidgen.ops.conv.fields import window_overlap
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.kernel import Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg
from smidgen.targets.catalogue import Core


class Conv2DInt8Avr(Kernel):
    """Any int8 convolution that 16-bit indices reach."""

    name = "conv2d_s8_avr"
    op = Conv2D
    requires = frozenset({"avr"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """See `avr.accepts`."""
        del op
        return avr.accepts(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OHWI); the input zero point moves into the bias."""
        del core
        assert isinstance(op, Conv2D)
        weights = signature.input(1).values
        depth, channels = weights.shape[3], signature.input(0).shape[3]
        fields = (
            ("group_channels", depth),
            ("group_outputs", weights.shape[0] * depth // channels),
            ("windows", avr.windows(op, signature, weights, "OHWI")),
        )
        return KernelCall(
            self.name,
            "smg_conv2d_s8_avr.h",
            "smg_conv2d_s8_avr",
            CStruct("smg_conv2d_s8_avr_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=window_overlap(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `avr.cost`."""
        del core
        assert isinstance(op, Conv2D)
        return avr.cost(op, signature, 9.0)


KERNELS: tuple[Kernel, ...] = (Conv2DInt8Avr(),)
