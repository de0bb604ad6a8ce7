"""The call of smg_dense_s8_neon or smg_dense_s8_dotprod: one vector times a matrix."""

from __future__ import annotations

from smidgen.ops.kernel import CStruct, InputArg, KernelCall, OutputArg
from smidgen.ops.support.neon import Dots, Products


def vector_call(name: str, products: Products, dots: Dots, depth: int) -> KernelCall:
    """All outputs of `dots` over `depth` values."""
    function = f"smg_dense_s8_{products.name}"
    return KernelCall(
        name,
        f"{function}.h",
        function + dots.suffix,
        CStruct(f"{function}_t", (("depth", depth), ("dot", dots.struct))),
        (InputArg(0), OutputArg(0)),
    )
