"""The end of an SSD detector, in portable C."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.detection.ops import DetectionPostprocess
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    ScratchArg,
)
from smidgen.targets.catalogue import Core

_BYTES_PER_BOX = 21


class DetectionKernel(Kernel):
    """Decoding and non-maximum suppression."""

    name = "detection"
    op = DetectionPostprocess

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Each input float32, or int8 with one scale."""
        del op
        tensors = [signature.input(index) for index in range(3)]
        return all(
            t.dtype is DType.FLOAT32
            or (t.dtype is DType.INT8 and t.quantization is not None and t.quant.axis is None)
            for t in tensors
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Sizes, thresholds, and the type of each input."""
        del core
        assert isinstance(op, DetectionPostprocess)
        encodings, scores, anchors = (signature.input(index) for index in range(3))
        fields: tuple[tuple[str, CValue], ...] = (
            ("boxes", encodings.shape[1]),
            ("encoding_length", encodings.shape[2]),
            ("classes", op.classes),
            ("background", scores.shape[2] - op.classes),
            ("detections", op.detections),
            ("classes_per_detection", op.classes_per_detection),
            ("detections_per_class", op.detections_per_class),
            ("by_class", int(op.by_class)),
            ("score_threshold", float(op.score_threshold)),
            ("overlap_threshold", float(op.overlap_threshold)),
            *zip(("y_scale", "x_scale", "h_scale", "w_scale"), op.scales, strict=True),
            ("encodings", _type(encodings)),
            ("scores", _type(scores)),
            ("anchors", _type(anchors)),
        )
        return KernelCall(
            self.name,
            "smg_detection.h",
            "smg_detection",
            CStruct("smg_detection_t", fields),
            (
                *(InputArg(index) for index in range(3)),
                *(OutputArg(index) for index in range(4)),
                ScratchArg(),
            ),
            scratch_bytes=_BYTES_PER_BOX * encodings.shape[1],
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """A hundred instructions a box for decoding, and some for each detection."""
        del core
        assert isinstance(op, DetectionPostprocess)
        boxes = signature.input(0).shape[1]
        return Cost(boxes * (600.0 + 10.0 * op.classes + 40.0 * op.detections))


def _type(tensor: Tensor) -> CStruct:
    is_real = tensor.dtype is DType.FLOAT32
    fields: tuple[tuple[str, CValue], ...] = (
        ("is_real", int(is_real)),
        ("scale", 1.0 if is_real else tensor.quant.scale),
        ("zero_point", 0.0 if is_real else float(tensor.quant.zero_point)),
    )
    return CStruct("smg_detection_type_t", fields)


KERNELS: tuple[Kernel, ...] = (DetectionKernel(),)
