"""smidgen run: one or more inferences of a build on its emulated board."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

import smidgen
from smidgen.project.inference import read_samples, run_samples, to_real


@click.command("run")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--input", "inputs", multiple=True, required=True, type=click.Path(path_type=Path),
    help="A .npy file for each model input, in order; several samples may be stacked in front.",
)  # fmt: skip
@click.option("--board", default="", help="Another board than the one that was compiled for.")
@click.option(
    "--quantize", is_flag=True, help="Take real numbers and quantise them as the model says."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the first output to a .npy file."
)
def run_command(
    folder: Path, inputs: tuple[Path, ...], board: str, quantize: bool, output: Path | None
) -> None:
    """Run the build in FOLDER on the emulated board and print its outputs."""
    from smidgen.compiler.artifact import Artifact
    from smidgen.project.build import board_of

    artifact = Artifact.read(folder)
    samples = read_samples(artifact, inputs, quantize)
    results = run_samples(artifact, samples, board or board_of(folder, artifact))
    for index, sample in enumerate(results):
        for port, values in zip(artifact.manifest.outputs, sample, strict=True):
            numbers = np.array2string(values.reshape(-1), threshold=64, separator=", ")
            click.echo(f"{index} {port.name} {port.dtype}{list(port.shape)} = {numbers}")
            if port.scale is not None:
                real = np.array2string(
                    to_real(port, values).reshape(-1), threshold=64, separator=", ", precision=5
                )
                click.echo(f"{index} {port.name} real = {real}")
    if output is not None:
        np.save(output, np.stack([sample[0] for sample in results]))
        click.echo(f"written: {output}")


__all__ = ["run_command", "smidgen"]
