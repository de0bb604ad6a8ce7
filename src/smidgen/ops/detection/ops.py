"""The end of an SSD detector: decoding of boxes and non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support import float_math

_HALF = np.float32(0.5)


@dataclass(frozen=True, slots=True)
class DetectionPostprocess(Op):
    """Boxes from SSD encodings, scores and anchors (TFLite_Detection_PostProcess).

    Inputs: encodings [1, N, 4 or more] and anchors [N, 4], both (y, x, height, width), and scores
    [1, N, classes] or with a background class before the others; float32 or int8. Outputs, float32:
    corners [1, M, 4] (ymin, xmin, ymax, xmax), classes [1, M], scores [1, M], and how many there
    are [1]; zeros behind those. M is `detections` * `classes_per_detection`.

    Boxes are taken by their best class, from the highest score down, unless one taken before
    overlaps them too much. `by_class` does that for each class on its own and keeps the best.
    Everything is computed in float32.
    """

    detections: int
    classes: int
    classes_per_detection: int
    score_threshold: float
    overlap_threshold: float
    scales: tuple[float, float, float, float]
    """What encodings are divided by: y, x, height, width."""
    by_class: bool = False
    detections_per_class: int = 100

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The four outputs."""
        encodings, scores, anchors = inputs
        assert encodings is not None and scores is not None and anchors is not None
        boxes = anchors.shape[0] if anchors.shape else 0
        fits = (
            len(encodings.shape) == len(scores.shape) == 3
            and encodings.shape[:2] == scores.shape[:2] == (1, boxes)
            and encodings.shape[2] >= 4
            and anchors.shape == (boxes, 4)
            and 0 <= scores.shape[2] - self.classes <= 1
        )
        limits = (self.detections, self.classes, self.classes_per_detection)
        if not fits or min(*limits, self.detections_per_class) < 1:
            raise GraphError(
                f"scores {scores.name!r}", f"{encodings.shape}, {scores.shape}, {anchors.shape}"
            )
        most = self.detections * self.classes_per_detection
        shapes = ((1, most, 4), (1, most), (1, most), (1,))
        return tuple(TensorType(DType.FLOAT32, shape) for shape in shapes)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Decode, suppress, list."""
        encodings, scores, anchors = (
            _real(inputs[index], signature.input(index)) for index in range(3)
        )
        boxes = self._decoded(encodings[0], anchors)
        wanted = scores[0][:, scores.shape[2] - self.classes :]
        found = self._each_class(boxes, wanted) if self.by_class else self._best(boxes, wanted)
        outputs = [np.zeros(tensor.shape, np.float32) for tensor in signature.outputs]
        for place, box, kind, score in found:
            outputs[0][0, place] = boxes[box]
            outputs[1][0, place] = kind
            outputs[2][0, place] = score
        count = len(found) if self.by_class else len({box for _, box, _, _ in found})
        outputs[3][0] = count
        return tuple(outputs)

    def _decoded(self, encodings: Array, anchors: Array) -> Array:
        scales = np.array(self.scales, np.float32)
        centres = encodings[:, :2] / scales[:2] * anchors[:, 2:] + anchors[:, :2]
        halves = _HALF * float_math.exp(encodings[:, 2:4] / scales[2:]) * anchors[:, 2:]
        return np.concatenate([centres - halves, centres + halves], axis=1)

    def _best(self, boxes: Array, scores: Array) -> list[tuple[int, int, int, float]]:
        chosen = self._suppressed(boxes, scores.max(axis=1), self.detections)
        each = min(self.classes_per_detection, self.classes)
        found = []
        for row, box in enumerate(chosen):
            kinds = np.argsort(-scores[box], kind="stable")[:each]
            for column, kind in enumerate(kinds.tolist()):
                place = row * self.classes_per_detection + column
                found.append((place, box, kind, float(scores[box, kind])))
        return found

    def _each_class(self, boxes: Array, scores: Array) -> list[tuple[int, int, int, float]]:
        kept: list[tuple[int, int, float]] = []
        for kind in range(self.classes):
            of_class = scores[:, kind]
            chosen = self._suppressed(boxes, of_class, self.detections_per_class)
            kept += [(box, kind, float(of_class[box])) for box in chosen]
            kept = sorted(kept, key=lambda item: -item[2])[: self.detections]
        return [(place, *item) for place, item in enumerate(kept)]

    def _suppressed(self, boxes: Array, scores: Array, most: int) -> list[int]:
        """The boxes that are taken, best first; of equal scores the first box."""
        candidates = np.flatnonzero(scores >= np.float32(self.score_threshold))
        order = candidates[np.argsort(-scores[candidates], kind="stable")]
        taken: list[int] = []
        while len(order) and len(taken) < most:
            taken.append(int(order[0]))
            overlaps = _overlaps(boxes[order[0]], boxes[order[1:]])
            order = order[1:][~(overlaps > np.float32(self.overlap_threshold))]
        return taken


def _real(values: Array | None, tensor: Tensor) -> Array:
    assert values is not None
    if tensor.dtype is DType.FLOAT32:
        return values
    quant = tensor.quant
    return (values.astype(np.float32) - np.float32(quant.zero_point)) * np.float32(quant.scale)


def _overlaps(box: Array, others: Array) -> Array:
    """Intersection over union, in float32; 0 where a box has no area."""
    zero = np.float32(0)
    area = (box[2] - box[0]) * (box[3] - box[1])
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    sides = np.maximum(high - low, zero)
    shared = sides[:, 0] * sides[:, 1]
    with np.errstate(all="ignore"):
        ratio = shared / (area + areas - shared)
    return np.where((area <= 0) | (areas <= 0), zero, ratio)
