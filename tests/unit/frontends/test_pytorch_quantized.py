"""Programs quantised by PyTorch (pt2e) become ops on quanta: within one quantum of PyTorch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import DType
from smidgen.core.errors import UnsupportedOp
from smidgen.emulate.proof import compare
from smidgen.frontends.pytorch import from_exported
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from support.outcomes import PORTABLE, HostModel, ample_board

torch = pytest.importorskip("torch", reason="PyTorch (smidgen[train]) is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    # Registers torch.ops.quantized_decomposed.
    pytest.importorskip("torch.ao.quantization.fx._decomposed")
nn, F, OPS = torch.nn, torch.nn.functional, torch.ops.quantized_decomposed
SHAPE = (1, 3, 8, 12)
STEP = 0.0723


def fake(x, scale: float, zero_point: int = 0, unsigned: bool = False):
    """Quantize and dequantize, as pt2e writes them around every operator."""
    kind = (0, 255, torch.uint8) if unsigned else (-128, 127, torch.int8)
    quanta = OPS.quantize_per_tensor(x, scale, zero_point, *kind)
    return OPS.dequantize_per_tensor(quanta, scale, zero_point, *kind)


class Weights(nn.Module):
    """int8 weights with a scale for each output."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.register_buffer("quanta", torch.randint(-127, 128, shape, dtype=torch.int8))
        self.register_buffer("scales", 0.002 + 0.003 * torch.rand(shape[0]))
        self.register_buffer("zeros", torch.zeros(shape[0], dtype=torch.int64))
        self.bias = nn.Parameter(torch.randn(shape[0]))

    def forward(self):
        parts = (self.quanta, self.scales, self.zeros, 0, -127, 127, torch.int8)
        return OPS.dequantize_per_channel(*parts)


class Net(nn.Module):
    """A convolution, a residual, pools and a dense layer, quantised by hand."""

    def __init__(self, unsigned: bool = False) -> None:
        super().__init__()
        self.offset, self.unsigned = (128 if unsigned else 0), unsigned
        self.first, self.second = Weights(8, 3, 3, 3), Weights(8, 1, 3, 3)
        self.head = Weights(5, 8 * 2 * 3)

    def fake(self, x, scale: float, zero_point: int = 0):
        return fake(x, scale, zero_point + self.offset, self.unsigned)

    def forward(self, x):
        x = self.fake(x, 0.0312, -12)
        x = F.relu(F.conv2d(x, self.first(), self.first.bias, padding=1))
        x = self.fake(F.max_pool2d(self.fake(x, 0.0517, -128), 2), 0.0517, -128)
        y = F.conv2d(x, self.second(), self.second.bias, padding=1, groups=8)
        x = self.fake(x + self.fake(y, 0.0411, 3), 0.0613, -70)
        x = self.fake(F.max_pool2d(x, 2).flatten(1), 0.0613, -70)
        return self.fake(F.linear(x, self.head(), self.head.bias), STEP, 5)


def exported(module, *inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(module.eval(), inputs)


def only_quanta(graph: Graph) -> bool:
    """Whether all but the conversions at the ends computes on int8."""
    inner = [node for node in graph.nodes if node.op.kind not in ("quantize", "dequantize")]
    return all(graph.tensors[node.outputs[0]].dtype is DType.INT8 for node in inner)


def largest_error(module, graph: Graph, count: int = 8) -> float:
    """In the numbers that the graph gives, over random inputs."""
    reference, worst = Reference(graph), 0.0
    for seed in range(count):
        x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            wanted = module(x).numpy()
        (found,) = reference.run([np.ascontiguousarray(x.numpy().transpose(0, 2, 3, 1))])
        lies = np.moveaxis(wanted, 1, -1) if wanted.ndim > 2 else wanted
        worst = max(worst, float(np.abs(found - lies).max()))
    return worst


@pytest.mark.parametrize("unsigned", [False, True])
def test_a_network_quantised_by_hand_is_within_one_quantum(unsigned):
    torch.manual_seed(0)
    module = Net(unsigned)
    graph = from_exported(exported(module, torch.zeros(SHAPE)))
    kinds = [node.op.kind for node in graph.nodes]
    assert only_quanta(graph)
    assert [kind for kind in kinds if "conv" in kind or kind == "dense"] == [
        "conv2d", "depthwise_conv2d", "dense",
    ]  # fmt: skip
    assert largest_error(module, graph) <= STEP * 1.001


def test_its_c_is_its_reference():
    torch.manual_seed(1)
    graph = from_exported(exported(Net(), torch.zeros(SHAPE)))
    host = HostModel(compile_graph(graph, ample_board(PORTABLE), "net"))
    random, shape = np.random.default_rng(0), graph.tensors[graph.inputs[0]].shape
    inputs = [[random.normal(size=shape).astype(np.float32)] for _ in range(3)]
    expected = [tuple(Reference(graph).run(each)) for each in inputs]
    assert not compare(expected, [host.run(each) for each in inputs]).mismatches


class Functions(nn.Module):
    def forward(self, x):
        x = fake(x, 0.03, 4)
        a, b = fake(torch.sigmoid(x), 1 / 256, -128), fake(F.hardswish(x), 0.02, -100)
        return fake(a * b, 0.015, -90)


class Mean(nn.Module):
    def forward(self, x):
        return fake(F.avg_pool2d(fake(x, 0.03, 4), 2), 0.03, 4)


def test_a_mean_rounds_halves_away_from_zero_and_pytorch_to_even():
    graph = from_exported(exported(Mean(), torch.zeros(SHAPE)))
    assert only_quanta(graph)
    assert 0.03 * 0.999 <= largest_error(Mean(), graph) <= 0.03 * 1.001


def test_functions_between_quanta():
    module = Functions()
    graph = from_exported(exported(module, torch.zeros(SHAPE)))
    assert only_quanta(graph)
    assert {"logistic", "hard_swish", "mul"} <= {node.op.kind for node in graph.nodes}
    # Each of the three ops may round to the quantum beside that of PyTorch.
    assert largest_error(module, graph) <= 2 * 0.015 * 1.001


class Wide(nn.Module):
    def forward(self, x):
        quanta = OPS.quantize_per_tensor(x, 0.001, 0, -32768, 32767, torch.int16)
        return OPS.dequantize_per_tensor(quanta, 0.001, 0, -32768, 32767, torch.int16)


def test_other_than_eight_bits_are_refused():
    with pytest.raises(UnsupportedOp, match="int16"):
        from_exported(exported(Wide(), torch.zeros(SHAPE)))


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8 * 2 * 3, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.first(x))), 2)
        return self.head(F.max_pool2d(self.second(x) + x, 2).flatten(1))


@pytest.mark.parametrize("per_channel", [False, True])
def test_what_pt2e_itself_makes(per_channel):
    pt2e = pytest.importorskip("torchao.quantization.pt2e.quantize_pt2e", reason="needs torchao")
    xnnpack = pytest.importorskip("torchao.testing.pt2e._xnnpack_quantizer", reason="needs torchao")
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantizer = xnnpack.XNNPACKQuantizer()
        config = xnnpack.get_symmetric_quantization_config(is_per_channel=per_channel)
        quantizer.set_global(config)
        prepared = pt2e.prepare_pt2e(exported(Plain(), torch.zeros(SHAPE)).module(), quantizer)
        for _ in range(8):
            prepared(torch.randn(SHAPE))
        module = pt2e.convert_pt2e(prepared)
        program = torch.export.export(module, (torch.zeros(SHAPE),))
    graph = from_exported(program)
    assert only_quanta(graph)
    step = graph.tensors[graph.nodes[-1].inputs[0]].quant.scale
    assert largest_error(module, graph) <= step * 1.001
