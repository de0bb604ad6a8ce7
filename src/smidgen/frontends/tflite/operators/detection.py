"""TFLite_Detection_PostProcess, the custom operator at the end of SSD detectors."""

from __future__ import annotations

from dataclasses import replace

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.flexbuffer import FlexValue, read_flexbuffer_map
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.ops.detection.ops import DetectionPostprocess

_MOST_DETECTIONS = 1 << 16


@converts("TFLite_Detection_PostProcess")
def detection_postprocess(conversion: Conversion, operator: TfliteOperator) -> None:
    """Inputs: encodings, scores, anchors. Files leave the shapes of the outputs open."""
    conversion.require(operator, 3)
    options = _Options(conversion, operator)
    op = DetectionPostprocess(
        detections=options.whole("max_detections"),
        classes=options.whole("num_classes"),
        classes_per_detection=options.whole("max_classes_per_detection"),
        score_threshold=options.real("nms_score_threshold"),
        overlap_threshold=options.real("nms_iou_threshold"),
        scales=(
            options.real("y_scale"),
            options.real("x_scale"),
            options.real("h_scale"),
            options.real("w_scale"),
        ),
        by_class=bool(options.whole("use_regular_nms", 0)),
        detections_per_class=options.whole("detections_per_class", 100),
    )
    if len(operator.outputs) != 4 or 0.0 in op.scales:
        raise ModelFileError(
            conversion.where(operator), f"{len(operator.outputs)} outputs, scales {op.scales}"
        )
    _close_shapes(conversion, operator, op)
    conversion.emit(operator, op, [0, 1, 2])


class _Options:
    """The operator's options; numbers only."""

    def __init__(self, conversion: Conversion, operator: TfliteOperator) -> None:
        self._where = conversion.where(operator)
        self._values = read_flexbuffer_map(operator.custom_options, self._where)

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number within reason."""
        value: FlexValue = self._values.get(name, default)
        if not isinstance(value, (bool, int)) or not 0 <= value <= _MOST_DETECTIONS:
            raise ModelFileError(self._where, f"its option {name!r} is {value!r}")
        return int(value)

    def real(self, name: str) -> float:
        """A number."""
        value = self._values.get(name)
        if not isinstance(value, (int, float)):
            raise ModelFileError(self._where, f"its option {name!r} is {value!r}")
        return float(value)


def _close_shapes(
    conversion: Conversion, operator: TfliteOperator, op: DetectionPostprocess
) -> None:
    """Write the shapes that follow from the options into outputs that have none in the file."""
    most = op.detections * op.classes_per_detection
    tensors = conversion.tensors
    shapes = ((1, most, 4), (1, most), (1, most), (1,))
    for index, shape in zip(operator.outputs, shapes, strict=True):
        if not tensors[index].shape:
            tensors[index] = replace(tensors[index], shape=shape)
