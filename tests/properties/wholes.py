"""Networks that are drawn as a whole: branches, loops, buffers, detectors, front ends."""

from __future__ import annotations

import numpy as np
from flatbuffers import flexbuffers

from properties.audio import front_end, spectrum, stream
from properties.net import Net, Value, kind_of, like, random_data
from support.tflite_writer import OperatorSpec, SubgraphSpec, TensorSpec


def circular_buffer(net: Net) -> None:
    """The last rows of a stream."""
    x = net.input(kind_of(net, (1, 1, net.whole(1, 4), net.whole(1, 4)), "int8"))
    spec = TensorSpec([1, net.whole(2, 6), *x.shape[2:]], "int8", x.scale, x.zero_point,
                      is_variable=True)  # fmt: skip
    index = net.tensor(spec)
    options = bytes(flexbuffers.Dumps({"cycles_max": 1}))
    net.operators.append(OperatorSpec("CIRCULAR_BUFFER", [x.index], [index],
                                      custom_options=options))  # fmt: skip
    made = like(x, spec.shape, index=index)
    net.values.append(made)


def branch(net: Net) -> None:
    """IF with a constant condition: reverse or negate order of another axis."""
    x = net.input(kind_of(net, (net.whole(1, 4), net.whole(1, 4)), "int8"))
    spec = TensorSpec(list(x.shape), "int8", x.scale, x.zero_point)
    for axis in range(2):
        where = TensorSpec([1], "int32", data=np.array([axis], np.int32))
        operator = OperatorSpec("REVERSE_V2", [0, 1], [2])
        net.subgraphs.append(SubgraphSpec([spec, where, spec], [operator], [0], [2]))
    condition = net.constant([net.chance(0.5)], "bool")
    options = {"then_subgraph_index": 1, "else_subgraph_index": 2}
    net.add("IF", [condition, x], [x], options)


def loop(net: Net) -> None:
    """WHILE with a counter: so many sums of a value with itself, wrapping none."""
    x = net.input(Value(-1, (net.whole(1, 5),), "float32", low=-1.0, high=1.0))
    counter, value = TensorSpec([1], "int32"), TensorSpec(list(x.shape), "float32")
    limit, one = (TensorSpec([1], "int32", data=np.array([n], np.int32))
                  for n in (net.whole(0, 4), 1))  # fmt: skip
    less = OperatorSpec("LESS", [0, 2], [3])
    test = SubgraphSpec([counter, value, limit, TensorSpec([1], "bool")], [less], [0, 1], [3])
    steps = [OperatorSpec("ADD", [0, 2], [3], {}), OperatorSpec("ADD", [1, 1], [4], {})]
    body = SubgraphSpec([counter, value, one, counter, value], steps, [0, 1], [3, 4])
    net.subgraphs += [test, body]
    start = net.constant([0])
    options = {"cond_subgraph_index": 1, "body_subgraph_index": 2}
    count = Value(-1, (1,), "int32")
    net.add("WHILE", [start, x], [count, like(x, low=-16.0, high=16.0)], options)


def detection(net: Net) -> None:
    """The end of an SSD detector over random boxes.

    Micro leaves the places behind the last detection unwritten; where it judges, all are filled.
    """
    boxes, classes = net.whole(1, 10), net.whole(1, 4)
    net.beyond_micro = not net.chance(0.5)
    options = {
        "max_detections": net.whole(1, 6 if net.beyond_micro else boxes),
        "max_classes_per_detection": 1,
        "num_classes": classes, "detections_per_class": net.whole(1, 5),
        "nms_score_threshold": 0.1 if net.beyond_micro else 0.0,
        "nms_iou_threshold": 0.5 if net.beyond_micro else 1.0,
        "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
        "use_regular_nms": net.chance(0.5),
    }  # fmt: skip
    encodings = net.input(Value(-1, (1, boxes, 4), "float32", low=-2.0, high=2.0))
    scores = net.input(Value(-1, (1, boxes, classes + 1), "float32", low=0.0, high=1.0))
    anchors = net.constant(net.rng.uniform(0.1, 0.9, (boxes, 4)), "float32")
    most = int(options["max_detections"])
    made = [Value(-1, shape, "float32", exact=False)
            for shape in ((1, most, 4), (1, most), (1, most), (1,))]  # fmt: skip
    net.add("TFLite_Detection_PostProcess", [encodings, scores, anchors], made,
            custom_options=bytes(flexbuffers.Dumps(options)))  # fmt: skip


def wide_integers(net: Net) -> None:
    """int64, which few operators take."""
    kind = Value(-1, (net.whole(1, 4), net.whole(1, 5)), "int64", low=-(2.0**40), high=2.0**40)
    x = net.input(kind)
    (x,) = net.add(net.pick(["MINIMUM", "MAXIMUM"]), [x, net.input(kind)], [x])
    axis = net.whole(0, 1)
    shape = [n * (2 if place == axis else 1) for place, n in enumerate(x.shape)]
    (x,) = net.add("CONCATENATION", [x, x], [like(x, shape)], {"axis": axis})
    if net.chance(0.5):
        other = net.input(like(x))
        net.add(net.pick(["LESS", "EQUAL", "GREATER_EQUAL"]), [x, other],
                [Value(-1, x.shape, "bool")])  # fmt: skip


def constants(net: Net) -> None:
    """Outputs that follow from constants alone."""
    shape = [net.whole(1, 4) for _ in range(net.whole(1, 3))]
    kind = kind_of(net, (), net.pick(["int8", "int32", "float32"]))
    data = np.asarray(random_data(net, kind))
    given = net.constant(data, kind.dtype, scale=kind.scale, zero_point=kind.zero_point)
    net.add("FILL", [net.constant(shape), given], [like(kind, shape)])
    sides = [net.constant([net.whole(1, 1), 3]), net.constant([2, 1])]
    net.add("BROADCAST_ARGS", sides, [Value(-1, (2,), "int32")])
    net.input(Value(-1, (1,), "int32", low=0.0, high=1.0))


def unsigned_image(net: Net) -> None:
    """uint8 samples that become int8 and go back: the ports of many published models."""
    zero = net.pick([0, 128, 255, net.whole(0, 255)])
    scale = float(np.float32(2 ** net.rng.uniform(-8, -4)))
    shape = (1, net.whole(1, 5), net.whole(1, 5), net.whole(1, 3))
    x = net.input(Value(-1, shape, "uint8", scale, zero))
    same = net.chance(0.5)
    inner = Value(-1, shape, "int8", scale if same else scale * 0.7, zero - 128 if same else 5)
    (y,) = net.add("QUANTIZE", [x], [inner])
    options = {"padding": 1, "stride_h": 1, "stride_w": 1, "filter_height": 1, "filter_width": 1}
    (y,) = net.add("MAX_POOL_2D", [y], [y], options)
    if net.chance(0.5):
        net.add("QUANTIZE", [y], [x])
    if net.chance(0.3):
        net.add("DEQUANTIZE", [x], [Value(-1, shape, "float32")])


WHOLES = (
    circular_buffer,
    branch,
    loop,
    detection,
    wide_integers,
    constants,
    unsigned_image,
    front_end,
    front_end,
    stream,
    stream,
    spectrum,
)
