"""Each aten operator against PyTorch itself, in float32 within 1e-4; some of them as C, too."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.emulate.proof import compare
from smidgen.frontends.pytorch import from_module
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.quantize import attribute, quantize
from smidgen.quantize.report import entering
from support.outcomes import PORTABLE, HostModel, ample_board

torch = pytest.importorskip("torch", reason="PyTorch (smidgen[train]) is not installed")
nn = torch.nn
F = nn.functional

IMAGE, SERIES, ROWS = (1, 4, 6, 10), (1, 4, 7), (1, 5, 8)


class Calls(nn.Module):
    def __init__(self, function: Callable, parts: dict) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def moved(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`values` as they lie in a tensor of `shape`: channels-last, or as PyTorch has them."""
    if values.shape == shape:
        return values
    turned = np.ascontiguousarray(np.moveaxis(values, 1, -1)) if values.ndim > 2 else values
    return turned.reshape(shape)


def fed(graph: Graph, inputs) -> list[np.ndarray]:
    tensors = [graph.tensors[name] for name in graph.inputs]
    return [
        moved(x.numpy(), tensor.shape).astype(tensor.dtype.numpy)
        for tensor, x in zip(tensors, inputs, strict=True)
    ]


def drawn(shapes, seed: int = 1):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, generator=generator) if isinstance(shape, tuple) else shape
        for shape in shapes
    ]


def assert_same(function: Callable, *shapes, **parts) -> Graph:
    torch.manual_seed(0)
    module = Calls(function, parts).eval()
    inputs = drawn(shapes)
    graph = from_module(module, inputs)
    with torch.no_grad():
        expected = module(*inputs)
    wanted = expected if isinstance(expected, (tuple, list)) else (expected,)
    results = Reference(graph).run(fed(graph, inputs))
    for result, want in zip(results, wanted, strict=True):
        reference = moved(want.numpy(), result.shape)
        limit = 1e-4 * max(1.0, float(np.abs(reference).max()))
        np.testing.assert_allclose(result, reference, rtol=1e-4, atol=limit)
    return graph


ELEMENTS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": F.silu,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "elu alpha": lambda x: F.elu(x, 0.5),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 0.7),
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "mish": F.mish,
    "softplus": F.softplus,
    "softplus beta": lambda x: F.softplus(x, 2.0),
    "logsigmoid": F.logsigmoid,
    "softsign": F.softsign,
    "exp": torch.exp,
    "log": lambda x: torch.log(x.abs() + 1),
    "sqrt": lambda x: torch.sqrt(x.abs()),
    "rsqrt": lambda x: torch.rsqrt(x.abs() + 0.5),
    "pow 2": lambda x: x**2,
    "pow 3": lambda x: x.pow(3),
    "root": lambda x: (x.abs() + 1) ** 0.5,
    "square": torch.square,
    "reciprocal": lambda x: 1 / (x.abs() + 1),
    "clamp": lambda x: x.clamp(-0.5, 0.7),
    "clamp low": lambda x: x.clamp(min=-0.5),
    "hardtanh": lambda x: F.hardtanh(x, -2, 2),
    "alpha": lambda x: torch.add(x, x.relu(), alpha=3),
    "less alpha": lambda x: torch.sub(x, x.relu(), alpha=0.5),
    "maximum": lambda x: torch.maximum(x, -x),
    "minimum": lambda x: torch.minimum(x, x * 2),
    "where": lambda x: torch.where(x > 0.1, x, x * 3),
    "quotient": lambda x: x / (x.abs() + 1),
    "log_softmax": lambda x: F.log_softmax(x, 1),
    "softmax over columns": lambda x: F.softmax(x, 3),
    "softmax over rows": lambda x: F.softmax(x, 2),
    "transposed sum": lambda x: x[..., :6] + x[..., :6].transpose(2, 3),
    "masks": lambda x: torch.where((x != 0) & (x < 1), x, torch.zeros_like(x)),
    "cumsum": lambda x: x.cumsum(2),
    "sine": lambda x: x.sin() + x.cos(),
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_functions_of_elements(name):
    assert_same(lambda _, x: ELEMENTS[name](x), IMAGE)


def test_prelu_of_a_number_and_of_channels():
    assert_same(lambda s, x: s.many(s.one(x)), IMAGE, one=nn.PReLU(), many=nn.PReLU(4, 0.1))


REDUCTIONS = {
    "mean of channels": lambda x: x.mean(1),
    "mean of rows and channels": lambda x: x.mean((1, 2)),
    "sum": lambda x: x.sum((2, 3)),
    "sum of all": lambda x: x.sum().reshape(1),
    "amax": lambda x: x.amax((1, 3)),
    "amin": lambda x: x.amin(2, keepdim=True),
    "max": lambda x: x.max(1)[0],
    "where max is": lambda x: x.max(1)[1],
    "min and where it is": lambda x: x.min(3),
    "argmax": lambda x: x.argmax(1),
    "argmin of all": lambda x: x.argmin().reshape(1),
    "variance": lambda x: x.var((2, 3)),
    "deviation": lambda x: x.std(1, unbiased=False),
    "length": lambda x: x.norm(dim=1),
    "length of 1": lambda x: F.normalize(x, dim=1),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    assert_same(lambda _, x: REDUCTIONS[name](x), IMAGE)


SHAPES = {
    "slice": lambda x: x[:, 1:3, ::2, 2:-1],
    "select": lambda x: x[:, 2],
    "select column": lambda x: x[..., -1],
    "narrow": lambda x: x.narrow(2, 1, 3),
    "stack": lambda x: torch.stack([x, x * 2], 2),
    "split": lambda x: x.split(3, 3)[1] + x.split([3, 3, 4], 3)[0],
    "chunk": lambda x: x.chunk(2, 1),
    "unbind": lambda x: x.unbind(1)[3],
    "flip": lambda x: x.flip(2, 3),
    "roll": lambda x: x.roll((2, -1), (3, 1)),
    "repeat": lambda x: x.repeat(1, 2, 1, 2),
    "expand": lambda x: x[:, :1].expand(1, 3, 6, 10),
    "index_select": lambda x: x.index_select(3, torch.tensor([4, 0, 4])),
    "cat with a constant": lambda x: torch.cat([x, torch.ones(1, 1, 6, 10)], 1),
    "cat of a transpose": lambda x: torch.cat([x, x.transpose(1, 2).reshape(1, 4, 6, 10)], 2),
    "permuted output": lambda x: x.permute(0, 3, 1, 2).relu(),
    "flatten": lambda x: x.flatten(1).relu(),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "pad": lambda x: F.pad(x, (1, 2, 3, 0), value=0.5),
    "pad channels": lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)),
    "crop": lambda x: F.pad(x, (-1, 2)),
    "reflect": lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect"),
    "replicate": lambda x: F.pad(x, (1, 1, 1, 0), mode="replicate"),
    "circular": lambda x: F.pad(x, (1, 2, 3, 0), mode="circular"),
    "nearest": lambda x: F.interpolate(x, scale_factor=2),
    "nearest to a size": lambda x: F.interpolate(x, size=(9, 13)),
    "bilinear": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "bilinear corners": lambda x: F.interpolate(x, (9, 7), mode="bilinear", align_corners=True),
    "bicubic": lambda x: F.interpolate(x, (9, 7), mode="bicubic"),
    "exact nearest": lambda x: F.interpolate(x, (9, 7), mode="nearest-exact"),
    "counted padding": lambda x: F.avg_pool2d(x, 3, 2, padding=1),
    "dilated pooling": lambda x: F.max_pool2d(x, 2, 1, padding=1, dilation=2),
    "uneven windows": lambda x: F.adaptive_avg_pool2d(x, (4, 3)),
    "largest of uneven windows": lambda x: F.adaptive_max_pool2d(x, (4, 3)),
    "frames": lambda x: x.unfold(3, 4, 2),
    "einsum": lambda x: torch.einsum("bchw,bdhw->bcd", x, x.sin()),
    "glu": lambda x: F.glu(x, 1),
    "shuffled channels": lambda x: x.view(1, 2, 2, 6, 10).transpose(1, 2).reshape(1, 4, 6, 10),
    "softshrink": F.softshrink,
}


VOLUMES = {
    "convolution": lambda: nn.Conv3d(2, 3, (2, 3, 3), stride=(1, 2, 1), padding=(1, 0, 1)),
    "largest": lambda: nn.MaxPool3d(2, 1),
    "average": lambda: nn.AvgPool3d((2, 3, 2), (1, 2, 2)),
    "whole": lambda: nn.AdaptiveAvgPool3d(1),
}


@pytest.mark.parametrize("name", VOLUMES)
def test_layers_over_three_axes(name):
    layer = VOLUMES[name]()
    assert_same(lambda s, x: s.layer(x), (1, 2, 5, 6, 7), layer=layer)


def test_a_squeeze_and_excite_block_by_dense_layers():
    def block(s, x):
        gate = s.rise(F.relu(s.fall(F.adaptive_avg_pool2d(x, 1).flatten(1))))
        return x * torch.sigmoid(gate).view(1, 4, 1, 1).expand_as(x)

    assert_same(block, IMAGE, fall=nn.Linear(4, 2), rise=nn.Linear(2, 4))


def test_a_recurrent_layer_keeps_its_series_as_it_is():
    graph = assert_same(lambda s, x: s.gru(x)[0], ROWS, gru=nn.GRU(8, 3, batch_first=True))
    assert graph.tensors[graph.inputs[0]].shape == ROWS
    assert "transpose" not in {node.op.kind for node in graph.nodes}


@pytest.mark.parametrize("name", SHAPES)
def test_picking_joining_and_resizing(name):
    assert_same(lambda _, x: SHAPES[name](x), IMAGE)


def test_linear_interpolation_of_a_series():
    assert_same(lambda _, x: F.interpolate(x, size=13, mode="linear"), SERIES)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: nn.ConvTranspose2d(4, 3, 3),
        lambda: nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1),
        lambda: nn.ConvTranspose2d(4, 6, (2, 3), stride=(2, 1), groups=2, bias=False),
        lambda: nn.ConvTranspose2d(4, 3, 3, dilation=2),
    ],
)
def test_transposed_convolutions(layer):
    assert_same(lambda s, x: s.layer(x), IMAGE, layer=layer())


def test_transposed_convolution_of_a_series():
    assert_same(lambda s, x: s.layer(x), SERIES, layer=nn.ConvTranspose1d(4, 3, 4, stride=2))


def test_normalisations():
    def lively(layer):
        nn.init.uniform_(layer.weight, 0.5, 1.5)
        if getattr(layer, "bias", None) is not None:
            nn.init.normal_(layer.bias)
        return layer

    assert_same(lambda s, x: s.n(x), ROWS, n=lively(nn.LayerNorm(8)))
    assert_same(lambda s, x: s.n(x), ROWS, n=nn.LayerNorm((5, 8), elementwise_affine=False))
    assert_same(lambda s, x: s.n(x), ROWS, n=lively(nn.RMSNorm(8)))
    assert_same(lambda s, x: s.n(x), IMAGE, n=lively(nn.GroupNorm(2, 4)))
    assert_same(lambda s, x: s.n(x), IMAGE, n=nn.InstanceNorm2d(4))


def test_products_of_activations():
    assert_same(lambda _, a, b: torch.bmm(a, b) + torch.matmul(a, b), (1, 5, 8), (1, 8, 7))
    assert_same(lambda _, a, b: a @ b.transpose(1, 2), (1, 5, 8), (1, 7, 8))
    assert_same(lambda _, a, b, c: torch.baddbmm(c, a, b, alpha=0.5, beta=2.0),
                (1, 5, 8), (1, 8, 7), (1, 5, 7))  # fmt: skip


def test_attention_with_and_without_mask():
    attention = F.scaled_dot_product_attention
    assert_same(lambda _, q, k, v: attention(q, k, v), (1, 2, 5, 8), (1, 2, 7, 8), (1, 2, 7, 3))
    assert_same(lambda _, x: attention(x, x, x, is_causal=True), (1, 2, 5, 8))
    mask = torch.rand(5, 5) > 0.3
    mask[:, 0] = True
    assert_same(lambda _, x: attention(x, x, x, attn_mask=mask, scale=0.3), (1, 2, 5, 8))


def test_a_transformer_layer():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    graph = assert_same(lambda s, x: s.layer(x), ROWS, layer=layer)
    assert sum(node.op.kind == "batch_mat_mul" for node in graph.nodes) == 2


def test_multi_head_attention_written_out():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    assert_same(lambda s, x: s.layer(x, x, x)[0], ROWS, layer=layer)


def test_embedding():
    layer = nn.Embedding(11, 6)
    numbers = torch.tensor([[3, 0, 10, 3]])
    graph = assert_same(lambda s, x: s.layer(x).mean(1), numbers, layer=layer)
    assert graph.tensors[graph.inputs[0]].dtype.label == "int32"


RECURRENT = {
    "gru": lambda: nn.GRU(4, 5, batch_first=True),
    "gru of two layers, both ways": lambda: nn.GRU(4, 5, 2, bidirectional=True),
    "lstm": lambda: nn.LSTM(4, 5, batch_first=True),
    "lstm of two layers, both ways": lambda: nn.LSTM(4, 5, 2, bidirectional=True),
    "rnn": lambda: nn.RNN(4, 5, batch_first=True),
    "rnn of relu, no bias": lambda: nn.RNN(4, 5, nonlinearity="relu", bias=False),
}


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("result", [0, 1])
def test_recurrent_layers(name, result):
    layer = RECURRENT[name]()
    shape = (1, 7, 4) if layer.batch_first else (7, 1, 4)

    def forward(s, x):
        found = s.layer(x)[result]
        return found[-1] if isinstance(found, tuple) else found

    if shape[0] == 1:
        assert_same(forward, shape, layer=layer)
    else:
        assert_same(lambda s, x: forward(s, x.transpose(0, 1)), (1, 7, 4), layer=layer)


def test_one_step_of_recurrent_layers_with_given_states():
    assert_same(lambda s, x, h: s.c(x, h), (1, 4), (1, 5), c=nn.GRUCell(4, 5))
    assert_same(lambda s, x, h: s.c(x, h), (1, 4), (1, 5), c=nn.RNNCell(4, 5))
    assert_same(lambda s, x, h, c: s.c(x, (h, c)), (1, 4), (1, 5), (1, 5), c=nn.LSTMCell(4, 5))
    assert_same(lambda s, x, h: s.c(x, h)[0], (1, 7, 4), (1, 1, 5),
                c=nn.GRU(4, 5, batch_first=True))  # fmt: skip


class Mixed(nn.Module):
    """Convolutions, a gated recurrent layer and attention."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, (3, 5), stride=(1, 2), padding=(1, 2))
        self.gru = nn.GRU(6 * 5, 8, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        y = F.silu(self.conv(x))
        y = y.permute(0, 2, 1, 3).flatten(2)
        y = self.norm(self.gru(y)[0])
        y = y + self.mix(y, y, y)[0]
        return F.softmax(self.head(y.mean(1)), -1)


def test_a_network_of_many_layers_as_float_and_int8_c():
    torch.manual_seed(0)
    module = Mixed().eval()
    graph = assert_same(lambda s, x: s.net(x), (1, 1, 6, 10), net=module)
    samples = [fed(graph, drawn([(1, 1, 6, 10)], seed))[0] for seed in range(8)]
    quantised = quantize(graph, samples)
    assert attribute(graph, quantised, samples, layers=()).output.sqnr_db > 20.0
    for made in (graph, quantised):
        host = HostModel(compile_graph(made, ample_board(PORTABLE), "net"))
        given = [entering(made, [x]) for x in samples[:3]]
        expected = [tuple(Reference(made).run(each)) for each in given]
        assert not compare(expected, [host.run(each) for each in given]).mismatches


def test_an_lstm_as_c_starts_anew_in_every_run():
    graph = assert_same(lambda s, x: s.layer(x)[0][:, -1], (1, 7, 4),
                        layer=nn.LSTM(4, 5, batch_first=True))  # fmt: skip
    host = HostModel(compile_graph(graph, ample_board(PORTABLE), "net"))
    reference = Reference(graph)
    inputs = [fed(graph, drawn([(1, 7, 4)], seed)) for seed in (1, 2, 1)]
    expected = [tuple(reference.run(each)) for each in inputs]
    found = [host.run(each) for each in inputs]
    assert not compare(expected, found).mismatches
    assert math.isclose(float(found[0][0].sum()), float(found[2][0].sum()))


def test_states_whose_first_axis_is_no_batch_stay_whole():
    lstm = nn.LSTM(8, 3, num_layers=2, batch_first=True)
    states = [(2, 1, 3), (2, 1, 3)]
    assert_same(lambda s, x, h, c: s.lstm(x, (h, c))[0], ROWS, *states, lstm=lstm)
