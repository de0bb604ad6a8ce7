"""TFLite_Detection_PostProcess: NumPy = Micro = C, and int8 inputs against float ones."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.core.errors import ModelFileError
from smidgen.graph.evaluate import Reference
from support.layers import custom_model
from support.samples import DATA, needs_data
from support.tflite_writer import TensorSpec
from support.threeway import Model, check, graph_of

TOLERANCE = 1e-5
SCALES = {"y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}


def options_of(classes: int, detections: int, each: int, by_class: bool, **more: object) -> dict:
    return {
        "max_detections": detections,
        "num_classes": classes,
        "max_classes_per_detection": each,
        "nms_score_threshold": 0.2,
        "nms_iou_threshold": 0.5,
        "use_regular_nms": by_class,
        **SCALES,
        **more,
    }


def output_specs(count: int) -> list[TensorSpec]:
    return [TensorSpec(shape, "float32") for shape in ([1, count, 4], [1, count], [1, count], [1])]


def anchors_of(rng: np.random.Generator, boxes: int) -> np.ndarray:
    centres, sizes = rng.uniform(0, 1, (boxes, 2)), rng.uniform(0.05, 0.4, (boxes, 2))
    return np.concatenate([centres, sizes], axis=1).astype(np.float32)


def float_case(rng: np.random.Generator, boxes: int, background: int, options: dict) -> Model:
    classes, count = options["num_classes"], options["max_detections"]
    columns, each = classes + background, options["max_classes_per_detection"]
    inputs = [
        TensorSpec([1, boxes, 4], "float32"),
        TensorSpec([1, boxes, columns], "float32"),
        TensorSpec([boxes, 4], "float32", data=anchors_of(rng, boxes)),
    ]
    data = custom_model("TFLite_Detection_PostProcess", options, inputs, output_specs(count * each))
    encodings = rng.normal(0, 2, (1, boxes, 4)).astype(np.float32)
    scores = (rng.integers(0, 64, (1, boxes, columns)) / 64).astype(np.float32)  # with ties
    # With several classes for each box Micro writes behind its outputs.
    return Model(f"{options}", data, [[encodings, scores]], TOLERANCE, micro=each == 1)


@pytest.mark.parametrize("by_class", [False, True])
def test_float_detectors(by_class: bool) -> None:
    rng = np.random.default_rng(1)
    check(
        [
            float_case(rng, 40, 1, options_of(3, 10, 1, by_class)),
            float_case(rng, 60, 0, options_of(5, 8, 1, by_class, nms_iou_threshold=0.3)),
            float_case(rng, 30, 1, options_of(4, 5, 2, by_class)),
            float_case(rng, 60, 1, options_of(3, 4, 1, by_class, detections_per_class=2)),
        ]
    )


@pytest.mark.parametrize("by_class", [False, True])
def test_quantised_detectors_find_what_their_real_values_say(by_class: bool) -> None:
    """Micro takes floats only."""
    rng, boxes = np.random.default_rng(2), 50
    options = options_of(4, 6, 1, by_class)
    anchors = np.round(anchors_of(rng, boxes) * 255).astype(np.uint8)
    specs = [
        TensorSpec([1, boxes, 4], "uint8", 0.08, 128),
        TensorSpec([1, boxes, 5], "uint8", 1 / 256, 0),
        TensorSpec([boxes, 4], "uint8", 1 / 255, 0, data=anchors),
    ]
    name = "TFLite_Detection_PostProcess"
    quantised = custom_model(name, options, specs, output_specs(6))
    real_anchors = (anchors.astype(np.float32) * np.float32(1 / 255)).astype(np.float32)
    real_specs = [
        TensorSpec([1, boxes, 4], "float32"),
        TensorSpec([1, boxes, 5], "float32"),
        TensorSpec([boxes, 4], "float32", data=real_anchors),
    ]
    real = custom_model(name, options, real_specs, output_specs(6))
    encodings = rng.integers(60, 200, (1, boxes, 4)).astype(np.uint8)
    scores = rng.integers(0, 256, (1, boxes, 5)).astype(np.uint8)
    model = Model("quantised", quantised, [[encodings, scores]], micro=False)
    check([model])
    floats = [
        (encodings.astype(np.float32) - 128) * np.float32(0.08),
        scores.astype(np.float32) * np.float32(1 / 256),
    ]
    found = Reference(graph_of(model)).run([encodings, scores])
    expected = Reference(graph_of(Model("real", real, []))).run(floats)
    for mine, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-5, atol=1e-6)


def test_options_that_make_no_sense_are_refused() -> None:
    rng = np.random.default_rng(3)
    for change in ({"y_scale": 0.0}, {"max_detections": -1}, {"num_classes": 7}):
        options = options_of(3, 4, 1, False) | change
        case = float_case(rng, 20, 1, options_of(3, 4, 1, False))
        inputs = [
            TensorSpec([1, 20, 4], "float32"),
            TensorSpec([1, 20, 4], "float32"),
            TensorSpec([20, 4], "float32", data=anchors_of(rng, 20)),
        ]
        data = custom_model("TFLite_Detection_PostProcess", options, inputs, output_specs(4))
        with pytest.raises(ModelFileError):
            graph_of(Model(case.name, data, []))


@needs_data
def test_the_end_of_an_ssd_mobilenet() -> None:
    """Its file leaves the shapes of the outputs open."""
    folder = DATA / "models" / "mlonmcu_golden" / "tests_model_with_detection_postprocess"
    encodings = np.fromfile(folder / "input" / "0_0.bin", np.uint8).reshape(1, 1917, 4)
    scores = np.fromfile(folder / "input" / "0_1.bin", np.uint8).reshape(1, 1917, 91)
    data = (folder / "model_with_detection_postprocess.tflite").read_bytes()
    model = Model("ssd", data, [[encodings, scores]], micro=False)
    check([model])
    _, _, best, count = Reference(graph_of(model)).run([encodings, scores])
    assert count[0] == 10
    assert best[0, 0] == np.float32(0.99609375)  # what the sample's own golden says
