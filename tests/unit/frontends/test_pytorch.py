"""PyTorch modules and the graphs made of them must compute the same numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smidgen.core.errors import UnsupportedOp, UnsupportedType
from smidgen.frontends.pytorch import from_exported, from_module
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.support.activation import Activation

torch = pytest.importorskip("torch", reason="PyTorch (smidgen[train]) is not installed")
nn = torch.nn


def lively(module, seed: int = 0):
    """`module` in eval mode with running statistics and affine parameters that do something."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is not None:
            part.running_mean.normal_(generator=generator)
            part.running_var.uniform_(0.5, 2.0, generator=generator)
            if part.affine:
                part.weight.data.uniform_(-1.5, 1.5, generator=generator)
                part.bias.data.normal_(generator=generator)
    return module.eval()


def channels_last(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(values, 1, -1)) if values.ndim > 2 else values


def as_returned(want: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`want` channels-last, or as PyTorch has it if that is how a graph returns it."""
    return want if channels_last(want).shape != shape else channels_last(want)


def assert_same(module, *shapes, graph: Graph | None = None, layout=channels_last) -> Graph:
    """The graph of `module`, once it has given the module's results on random inputs."""
    module = lively(module)
    generator = torch.Generator().manual_seed(1)
    inputs = [torch.randn(shape, generator=generator) for shape in shapes]
    graph = graph or from_module(module, inputs)
    with torch.no_grad():
        expected = module.double()(*[x.double() for x in inputs])
    module.float()
    results = Reference(graph).run([layout(x.numpy()) for x in inputs])
    wanted = expected if isinstance(expected, tuple) else (expected,)
    for result, want in zip(results, wanted, strict=True):
        reference = as_returned(want.numpy(), result.shape)
        tolerance = 1e-4 * max(1.0, float(np.abs(reference).max()))
        np.testing.assert_allclose(result, reference, rtol=1e-4, atol=tolerance)
    return graph


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]


class Calls(nn.Module):
    """A module made of a function, with some layers and constants."""

    def __init__(self, function: Callable, **parts) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, nn.Module):
                setattr(self, name, part)
            else:
                self.register_buffer(name, part, persistent=False)

    def forward(self, *inputs):
        return self.function(self, *inputs)


CONVOLUTIONS = [
    (nn.Conv2d(3, 8, 3), (1, 3, 9, 8), Conv2D),
    (nn.Conv2d(3, 8, (5, 2), stride=(2, 1), padding=(2, 0), bias=False), (1, 3, 9, 8), Conv2D),
    (nn.Conv2d(4, 6, 3, dilation=2, padding=1), (1, 4, 9, 11), Conv2D),
    (nn.Conv2d(4, 6, 3, groups=2), (1, 4, 7, 7), Conv2D),
    (nn.Conv2d(4, 4, 3, groups=4, padding=1, stride=2), (1, 4, 7, 7), DepthwiseConv2D),
    (nn.Conv2d(4, 12, (3, 1), groups=4), (1, 4, 7, 7), DepthwiseConv2D),
    (nn.Conv2d(1, 3, 2, groups=1), (1, 1, 5, 6), Conv2D),
    (nn.Conv2d(2, 3, 4, padding="same"), (1, 2, 5, 6), Conv2D),
    (nn.Conv2d(2, 3, (2, 3), padding="same", dilation=(3, 2)), (1, 2, 8, 6), Conv2D),
    (nn.Conv2d(2, 3, 2, padding="valid"), (1, 2, 5, 6), Conv2D),
    (nn.Conv1d(6, 10, 5, stride=2, padding=2), (1, 6, 33), Conv2D),
    (nn.Conv1d(6, 10, 3, dilation=4, bias=False), (1, 6, 33), Conv2D),
    (nn.Conv1d(6, 12, 3, groups=6, padding=1), (1, 6, 20), DepthwiseConv2D),
    (nn.Conv1d(6, 9, 3, groups=3), (1, 6, 20), Conv2D),
    (nn.Conv1d(6, 4, 6, padding="same"), (1, 6, 20), Conv2D),
]


@pytest.mark.parametrize(("layer", "shape", "op"), CONVOLUTIONS)
def test_convolution(layer, shape, op):
    graph = assert_same(layer, shape)
    assert [type(node.op) for node in graph.nodes if node.op.kind != "reshape"] == [op]


POOLS = [
    (nn.MaxPool2d(2), (1, 3, 8, 9)),
    (nn.MaxPool2d(3, stride=2, padding=1), (1, 3, 8, 9)),
    (nn.MaxPool2d((3, 2), stride=(2, 3), ceil_mode=True), (1, 3, 8, 9)),
    (nn.MaxPool1d(3, stride=2, padding=1, ceil_mode=True), (1, 3, 16)),
    (nn.MaxPool1d(4), (1, 3, 17)),
    (nn.AvgPool2d(2), (1, 3, 8, 9)),
    (nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), (1, 3, 8, 9)),
    (nn.AvgPool2d(3, stride=2, ceil_mode=True), (1, 3, 8, 9)),
    (nn.AvgPool1d(4, stride=3), (1, 3, 17)),
    (nn.AdaptiveAvgPool2d(1), (1, 3, 8, 9)),
    (nn.AdaptiveAvgPool2d((4, 3)), (1, 3, 8, 9)),
    (nn.AdaptiveAvgPool1d(1), (1, 3, 8)),
    (nn.AdaptiveMaxPool2d((2, 1)), (1, 3, 8, 9)),
    (nn.AdaptiveMaxPool1d(1), (1, 3, 8)),
]


@pytest.mark.parametrize(("layer", "shape"), POOLS)
def test_pooling(layer, shape):
    assert_same(layer, shape)


REDUCTIONS = [
    (lambda _, x: x.mean((2, 3)), (1, 3, 5, 4)),
    (lambda _, x: x.mean((2, 3), keepdim=True), (1, 3, 5, 4)),
    (lambda _, x: x.mean(3), (1, 3, 5, 4)),
    (lambda _, x: x.mean(-2), (1, 3, 5, 4)),
    (lambda _, x: x.mean(1), (1, 3, 5, 4)),
    (lambda _, x: x.mean(-1), (1, 3, 7)),
    (lambda _, x: x.mean(), (1, 3, 7)),
    (lambda _, x: x.amax((2, 3)), (1, 3, 5, 4)),
    (lambda _, x: x.amax(2, keepdim=True), (1, 3, 7)),
]


@pytest.mark.parametrize(("function", "shape"), REDUCTIONS)
def test_reduction_over_axes(function, shape):
    assert_same(Calls(function), shape)


ELEMENTWISE = [
    (lambda _, x: torch.relu(x), (1, 3, 5, 4)),
    (lambda _, x: nn.functional.relu6(4 * x), (1, 3, 5)),
    (lambda _, x: nn.functional.hardtanh(x), (1, 3)),
    (lambda _, x: x.clamp(0, 6), (1, 3, 5, 4)),
    (lambda _, x: x.clamp(min=0), (1, 3, 5, 4)),
    (lambda _, x: x + x.relu(), (1, 3, 5, 4)),
    (lambda _, x: x + x.mean((2, 3), keepdim=True), (1, 3, 5, 4)),
    (lambda _, x: x.mean(2, keepdim=True) + x, (1, 3, 5)),
    (lambda _, x: x * x, (1, 3, 5, 4)),
    (lambda _, x: x.mean((2, 3), keepdim=True) * x, (1, 3, 5, 4)),
    (lambda _, x: x.mean((2, 3), keepdim=True) - x, (1, 3, 5, 4)),
    (lambda _, x: (x - 2 * x.relu()).relu(), (1, 3, 5)),
    (lambda _, x: nn.functional.relu6(x * x), (1, 3, 5)),
    (lambda _, x: x + 2, (1, 3, 5)),
    (lambda _, x: 1 - x / 3, (1, 3, 5)),
    (lambda _, x: -x * 0.5, (1, 3, 5, 2)),
    (lambda s, x: x + s.space, (1, 3, 5, 4)),
    (lambda s, x: s.space - x, (1, 3, 5, 4)),
    (lambda s, x: x * s.column + s.space * 2, (1, 3, 5, 4)),
    (lambda _, x: torch.cat([x, x.relu(), 2 * x], 1), (1, 3, 5, 4)),
    (lambda _, x: torch.cat([x, x.relu()], -1), (1, 3, 5, 4)),
    (lambda _, x: torch.cat([x, x.relu()], 2), (1, 3, 5)),
    (lambda _, x: torch.cat([x, x.relu()], 1), (1, 3)),
    (lambda _, x: torch.softmax(x, -1), (1, 7)),
    (lambda _, x: torch.softmax(x, 1), (1, 3, 5, 4)),
    (lambda _, x: torch.softmax(x.flatten(1), 1).view(1, 3, 5, 4), (1, 3, 5, 4)),
]


@pytest.mark.parametrize(("function", "shape"), ELEMENTWISE)
def test_elementwise(function, shape):
    space = torch.linspace(-1, 1, 20).reshape(5, 4)
    column = torch.tensor([0.5, -2.0, 1.5]).reshape(3, 1, 1)
    assert_same(Calls(function, space=space, column=column), shape)


def test_constant_that_varies_over_space_and_channels():
    table = torch.randn(1, 3, 5, 4, generator=torch.Generator().manual_seed(5))
    graph = assert_same(Calls(lambda s, x: x + s.table, table=table), (1, 3, 5, 4))
    assert kinds(graph) == ["add"]


def test_batch_norm_and_relu_disappear_into_the_convolution():
    graph = assert_same(
        nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()), (1, 3, 8, 8)
    )
    assert kinds(graph) == ["conv2d"]
    assert graph.nodes[0].op.activation is Activation.RELU


@pytest.mark.parametrize(
    ("layers", "shape", "expected"),
    [
        ((nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU6()), (1, 6), ["dense"]),
        ((nn.Conv1d(3, 5, 3), nn.BatchNorm1d(5)), (1, 3, 9), ["conv2d"]),
        ((nn.Conv2d(4, 8, 3, groups=4), nn.BatchNorm2d(8)), (1, 4, 9, 9), ["depthwise_conv2d"]),
        ((nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3, padding=1)), (1, 4, 9, 9), None),
    ],
)
def test_batch_norm_folds(layers, shape, expected):
    graph = assert_same(nn.Sequential(*layers), shape)
    left = [kind for kind in kinds(graph) if kind != "reshape"]
    assert left == (expected or ["depthwise_conv2d", "conv2d"])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(4, 6, 3), (1, 4, 9, 9)),
        (nn.Conv2d(4, 6, 3, groups=2, bias=False), (1, 4, 9, 9)),
        (nn.Conv2d(4, 8, 3, groups=4), (1, 4, 9, 9)),
        (nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), (1, 4, 3, 3)),
    ],
)
def test_input_standardisation_folds_forward_where_nothing_is_padded(layer, shape):
    norm = nn.BatchNorm2d(4, affine=False)
    graph = assert_same(nn.Sequential(norm, layer), shape)
    assert len(kinds(graph)) == 1


def test_uneven_standardisation_stays_a_layer_of_its_own():
    norm = nn.BatchNorm2d(4, affine=False)
    norm.running_var.copy_(torch.tensor([1e-4, 1.0, 10.0, 1e4]))
    module = nn.Sequential(norm, nn.Conv2d(4, 2, 3)).eval()
    assert kinds(from_module(module, [torch.zeros(1, 4, 5, 5)])) == ["depthwise_conv2d", "conv2d"]


def test_clamp_stays_where_the_value_is_read_twice():
    def forward(s, x):
        y = s.conv(x)
        return y + torch.relu(y)

    graph = assert_same(Calls(forward, conv=nn.Conv2d(2, 3, 1)), (1, 2, 4, 4))
    assert any(isinstance(node.op, Clamp) for node in graph.nodes)


def test_in_place_activation_changes_what_later_readers_see():
    def forward(s, x):
        y = s.conv(x)
        z = torch.relu_(y)
        return s.other(z) + y

    parts = {"conv": nn.Conv2d(2, 3, 1), "other": nn.Conv2d(3, 3, 3, padding=1)}
    assert_same(Calls(forward, **parts), (1, 2, 4, 4))


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.two = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return torch.relu(x + self.two(torch.relu(self.norm(self.one(x)))))


def test_residual_network():
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(inplace=True), Residual(8), nn.Dropout(),
        nn.MaxPool2d(2), Residual(8), nn.Flatten(), nn.Linear(8 * 4 * 3, 5), nn.Softmax(-1),
    )  # fmt: skip
    graph = assert_same(net, (1, 1, 16, 12))
    assert "add" in kinds(graph)
    assert not any(isinstance(node.op, (Clamp, Reshape)) for node in graph.nodes)


def test_series_become_images_one_column_wide():
    net = nn.Sequential(
        nn.Conv1d(6, 16, 5, padding=2), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(16, 16, 3, groups=16), nn.Conv1d(16, 8, 1), nn.ReLU(),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
    graph = assert_same(net, (1, 6, 64))
    assert graph.tensors[graph.inputs[0]].shape == (1, 64, 6)
    assert kinds(graph)[0] == "reshape"
    assert kinds(graph).count("reshape") == 1


def test_flatten_reorders_weights_and_moves_nothing():
    net = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.Linear(3 * 4 * 5, 7))
    graph = assert_same(net, (1, 2, 5, 6))
    assert kinds(graph) == ["conv2d", "dense"]


@pytest.mark.parametrize(
    "function",
    [
        lambda s, x: s.linear(s.conv(x).permute(0, 2, 3, 1).flatten(1)),
        lambda s, x: s.linear(s.conv(x).permute(0, 3, 1, 2).reshape(1, -1)),
        lambda s, x: s.linear(s.conv(x).transpose(2, 3).unsqueeze(0).squeeze(0).reshape(1, 60)),
        lambda s, x: s.rows(s.conv(x).flatten(2).transpose(1, 2)),
        lambda s, x: s.conv(x).permute(0, 2, 3, 1).mean((1, 2)),
        lambda s, x: s.mixed(s.conv(x).view(1, 3, 2, 10).permute(0, 2, 1, 3).reshape(1, 6, 10)
                             .flatten(1)),
    ],
)  # fmt: skip
def test_permutations_are_absorbed(function):
    parts = {
        "conv": nn.Conv2d(2, 3, 2),
        "linear": nn.Linear(60, 4),
        "rows": nn.Linear(3, 4),
        "mixed": nn.Linear(60, 2),
    }
    module = lively(Calls(function, **parts))
    x = torch.randn(1, 2, 5, 6, generator=torch.Generator().manual_seed(2))
    graph = from_module(module, [x])
    (result,) = Reference(graph).run([channels_last(x.numpy())])
    want = module(x).detach().numpy()
    wanted = as_returned(want, result.shape)
    np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-5)
    assert set(kinds(graph)) <= {"conv2d", "dense", "average_pool2d", "reshape"}


def test_channel_shuffle_reorders_the_next_weights():
    def forward(s, x):
        y = s.one(x).view(1, 2, 3, 4, 5).transpose(1, 2).reshape(1, 6, 4, 5)
        return s.two(y)

    parts = {"one": nn.Conv2d(2, 6, 1), "two": nn.Conv2d(6, 3, 3)}
    graph = assert_same(Calls(forward, **parts), (1, 2, 4, 5))
    assert kinds(graph) == ["conv2d", "conv2d"]


def test_model_that_permutes_its_own_input_keeps_it_as_it_is():
    module = Calls(lambda s, x: s.conv(x.transpose(1, 2)), conv=nn.Conv1d(3, 4, 3))
    graph = assert_same(module, (1, 10, 3), layout=lambda x: x)
    assert graph.tensors[graph.inputs[0]].shape == (1, 10, 3)


def test_dense_rows_of_a_series_keep_their_order():
    module = Calls(lambda s, x: s.linear(x), linear=nn.Linear(3, 4))
    x = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(0))
    graph = from_module(module, [x])
    (result,) = Reference(graph).run([x.numpy()])
    np.testing.assert_allclose(result, module(x).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_two_inputs_and_two_outputs():
    def forward(s, x, y):
        z = s.conv(x) + s.conv(y)
        return z, z.mean((2, 3))

    graph = assert_same(Calls(forward, conv=nn.Conv2d(2, 3, 2)), (1, 2, 4, 4), (1, 2, 4, 4))
    assert len(graph.outputs) == 2


def test_nodes_are_named_after_modules():
    net = nn.Sequential()
    net.add_module("stem", nn.Conv2d(1, 2, 3))
    net.add_module("act", nn.ReLU())
    net.add_module("head", nn.Sequential(nn.Flatten(), nn.Linear(2 * 4, 3)))
    graph = from_module(net.eval(), [torch.zeros(1, 1, 4, 4)])
    assert [node.name for node in graph.nodes] == ["stem", "head_1"]
    assert graph.outputs == ("head_1_out",)


def test_batch_is_one_and_training_flags_survive():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(), nn.BatchNorm2d(2).eval())
    net[0].train()
    graph = from_module(net, [torch.zeros(8, 1, 5, 5)])
    assert graph.tensors[graph.inputs[0]].shape == (1, 5, 5, 1)
    assert net[1].training
    assert not net[2].training


def test_decomposed_program_gives_the_same_numbers():
    net = lively(nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(4, 3), nn.Softmax(1),
    ))  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(net, (torch.zeros(1, 2, 8, 8),)).run_decompositions()
    graph = assert_same(net, (1, 2, 8, 8), graph=from_exported(program, "decomposed"))
    assert kinds(graph) == ["conv2d", "max_pool2d", "average_pool2d", "dense", "softmax"]


REFUSED = [
    (lambda _, x: torch.lgamma(x), "aten.lgamma"),
    (lambda _, x: nn.functional.max_pool2d(x, 2, return_indices=True), "result 1"),
    (lambda s, x: (x, s.kernel + 1), "does not depend"),
]


@pytest.mark.parametrize(("function", "words"), REFUSED)
def test_refusals_say_what_and_why(function, words):
    module = Calls(function, kernel=torch.ones(2, 2, 3, 3)).eval()
    with pytest.raises(UnsupportedOp, match=words) as caught:
        from_module(module, [torch.zeros(1, 2, 4, 4)])
    assert caught.value.hint


def test_refusal_names_the_module():
    net = nn.Sequential(
        nn.Conv2d(1, 1, 1), nn.Sequential(Calls(lambda _, x: torch.lgamma(x)))
    ).eval()
    with pytest.raises(UnsupportedOp, match=r"aten\.lgamma\.default in module '1\.0'"):
        from_module(net, [torch.zeros(1, 1, 4, 4)])


def test_complex_inputs_and_dynamic_shapes_are_refused():
    with pytest.raises(UnsupportedType, match="complex64"):
        from_module(Calls(lambda _, x: x + 1), [torch.zeros(1, 2, dtype=torch.complex64)])
    shapes = {"input": {0: torch.export.Dim("batch", min=2)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            nn.Sequential(nn.Linear(2, 2)).eval(), (torch.zeros(4, 2),), dynamic_shapes=shapes
        )
    with pytest.raises(UnsupportedType, match="dynamic"):
        from_exported(program)


def test_batch_norm_in_training_mode_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(nn.BatchNorm1d(3).train(), (torch.zeros(2, 3, 4),))
    with pytest.raises(UnsupportedOp, match=r"eval\(\)"):
        from_exported(program)


@st.composite
def random_networks(draw):
    """A module and its input's shape: some image or series layers, then maybe a head."""
    spatial = draw(st.sampled_from([1, 2]))
    conv, norm, pool, average = (
        (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d, nn.AvgPool1d)
        if spatial == 1
        else (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d)
    )
    torch.manual_seed(draw(st.integers(0, 1000)))
    channels = draw(st.integers(1, 4))
    shape = (1, channels, *draw(st.tuples(*[st.integers(8, 13)] * spatial)))
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "depthwise", "norm", "relu", "relu6", "pool", "mean"]))
        window = draw(st.integers(1, 3))
        stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, window // 2))
        if kind == "conv":
            out = draw(st.integers(1, 5))
            layers.append(conv(channels, out, window, stride, padding, bias=draw(st.booleans())))
            channels = out
        elif kind == "depthwise":
            multiplier = draw(st.integers(1, 2))
            layers.append(
                conv(channels, channels * multiplier, window, 1, padding, groups=channels)
            )
            channels *= multiplier
        elif kind == "norm":
            layers.append(norm(channels))
        elif kind == "pool":
            layers.append(pool(max(window, 1), 1, padding, ceil_mode=draw(st.booleans())))
        elif kind == "mean":
            layers.append(average(window, 1, padding, count_include_pad=False))
        else:
            layers.append(nn.ReLU() if kind == "relu" else nn.ReLU6())
    head = draw(st.sampled_from(["none", "flatten", "global"]))
    if head != "none":
        if head == "global":
            layers.append(nn.AdaptiveAvgPool1d(1) if spatial == 1 else nn.AdaptiveAvgPool2d(1))
        layers.append(nn.Flatten())
        features = nn.Sequential(*layers).eval()(torch.zeros(shape)).shape[1]
        layers += [nn.Linear(features, 3), nn.Softmax(1)]
    return nn.Sequential(*layers), shape


@given(random_networks())
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_random_networks(network):
    module, shape = network
    try:
        lively(module)(torch.zeros(shape))
    except RuntimeError:
        return  # a window larger than what is left: not a network
    assert_same(module, shape)


def test_joined_branches_meet_the_weights_in_order():
    def forward(s, x):
        y = torch.cat([s.one(x), s.two(x), x], 1)
        return s.head(torch.relu(y).flatten(1))

    parts = {
        "one": nn.Conv2d(2, 3, 3, padding=1),
        "two": nn.Conv2d(2, 1, 1),
        "head": nn.Linear(6 * 5 * 4, 3),
    }
    assert_same(Calls(forward, **parts), (1, 2, 5, 4))


def test_missing_pytorch_is_an_error_with_a_way_out(monkeypatch):
    from smidgen.core.errors import MissingExtra
    from smidgen.frontends.pytorch import capture

    monkeypatch.setattr(capture, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"smidgen\[train\]"):
        from_module(nn.Linear(1, 1), [])


def test_dense_only_network_stays_in_order():
    graph = assert_same(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)), (1, 6))
    assert [type(node.op) for node in graph.nodes] == [Dense, Dense]
