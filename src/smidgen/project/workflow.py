"""The main job: recordings become a trained network, its int8 graph, C, and a proof on a board."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from smidgen import train
from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import Array
from smidgen.data import Dataset, require_trainable
from smidgen.emulate.device import Device
from smidgen.emulate.measure import Measurement, measurement_of
from smidgen.emulate.proof import Proof, prove
from smidgen.emulate.timing.cycles import Counts
from smidgen.frontends.pytorch import from_exported
from smidgen.graph.graph import Graph
from smidgen.project.inference import quantize_to
from smidgen.quantize import quantize
from smidgen.targets.catalogue import Board
from smidgen.train import EpochReport, NetworkConfig, TrainingConfig, accuracy, confusion_matrix

if TYPE_CHECKING:
    from smidgen.train import ConvNet


class WorkflowProgress(Protocol):
    """What somebody who watches the job is told."""

    def stage(self, text: str, steps: int = 0) -> None:
        """A new stage begins, of `steps` steps where that is known."""

    def step(self, done: int, note: str = "") -> None:
        """`done` steps of the stage are done."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkflowResult:
    """Everything that the main job made, and how good it is.

    Accuracies are shares of the test recordings, from 0 to 1; `confusion` is the emulated board's.
    `test_inputs` are the test recordings as the board got them, quanta [n, *input shape].
    """

    dataset: Dataset
    board: Board
    seed: int
    graph: Graph
    artifact: Artifact
    proof: Proof
    measurement: Measurement
    float_accuracy: float
    reference_accuracy: float
    device_accuracy: float
    confusion: Array
    parameters: int
    test_inputs: Array


def run_workflow(
    dataset: Dataset, board: Board, progress: WorkflowProgress, seed: int = 0
) -> WorkflowResult:
    """Train, quantise, compile and prove; the test recordings are used for the proof alone.

    Raises DatasetError, MissingExtra, DoesNotFit and the other branches of SmidgenError.
    """
    require_trainable(dataset)
    X_test, y_test = dataset.arrays("test")
    network = _train(dataset, progress, seed)
    float_accuracy = accuracy(y_test, train.predict(network, X_test).argmax(axis=1))
    progress.stage("quantise to int8, calibrated on the training recordings")
    graph = _quantised_graph(network, dataset)
    progress.stage(f"compile to C for {board.name}")
    artifact = compile_graph(graph, board, name=dataset.name)
    device = Device(artifact, board)
    progress.stage(f"run the whole test set on the emulated {board.core.name}", len(y_test))
    quanta = _quanta(graph, X_test)
    proof, measurement = _prove_and_measure(graph, device, quanta, progress)
    predicted = _classes(proof.outputs)
    return WorkflowResult(
        dataset,
        board,
        seed,
        graph,
        artifact,
        proof,
        measurement,
        float_accuracy,
        accuracy(y_test, _classes(proof.reference_outputs)),
        accuracy(y_test, predicted),
        confusion_matrix(y_test, predicted, len(dataset.classes)),
        train.count_parameters(network),
        quanta,
    )


def _train(dataset: Dataset, progress: WorkflowProgress, seed: int) -> ConvNet:
    X, y = dataset.arrays("train")
    config = TrainingConfig(seed=seed)
    progress.stage(f"train on {len(X)} recordings of {dataset.name}", config.epochs)

    def watch(report: EpochReport) -> None:
        progress.step(report.epoch, f"loss {report.loss:.3f}, accuracy {report.accuracy:.0%}")

    network = train.build_network(X.shape[2], len(dataset.classes), NetworkConfig(), seed)
    return train.fit(network, X, y, config, watch).network


def _quantised_graph(network: ConvNet, dataset: Dataset) -> Graph:
    X, _ = dataset.arrays("train")
    exported = train.export_program(network, X.shape[1])
    graph = from_exported(exported, graph_name(dataset.name))
    shape = graph.tensors[graph.inputs[0]].shape
    return quantize(graph, [sample.reshape(shape) for sample in X])


def graph_name(name: str) -> str:
    """A dataset's name as the name of a graph."""
    return "".join(c if c.isalnum() else "_" for c in name)


def _quanta(graph: Graph, X: Array) -> Array:
    """Recordings [n, time, channels] as quanta of the graph's input, [n, *its shape]."""
    tensor = graph.tensors[graph.inputs[0]]
    quanta = quantize_to(tensor.dtype, tensor.quant.scale, tensor.quant.zero_point, X)
    return quanta.reshape(len(X), *tensor.shape)


def _prove_and_measure(
    graph: Graph, device: Device, quanta: Array, progress: WorkflowProgress
) -> tuple[Proof, Measurement]:
    counts: list[Counts] = []

    def account(done: int) -> None:
        counts.append(device.take_counts())
        progress.step(done)

    proof = prove(graph, device, [[sample] for sample in quanta], account)
    return proof, measurement_of(device, counts)


def _classes(outputs: tuple[tuple[Array, ...], ...]) -> Array:
    return np.array([int(sample[0].reshape(-1).argmax()) for sample in outputs])
