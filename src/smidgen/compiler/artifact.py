"""The Artifact: what a compile makes. Immutable; written to a folder as C and one manifest."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from smidgen.core.dtypes import DType
from smidgen.core.errors import ArtifactError
from smidgen.graph.tensor import TensorType

MANIFEST = "smidgen.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: where it lies in the arena and how its numbers are to be read."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int
    scale: float | None
    zero_point: int | None

    @property
    def element(self) -> DType:
        """The element type."""
        return DType.parse(self.dtype)

    @property
    def type(self) -> TensorType:
        """Element type and shape."""
        return TensorType(self.element, self.shape)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as it runs on the device; `symbol` is its C function.

    `activation_bytes` are those of the tensors that it reads and writes, constants left out.
    """

    name: str
    kind: str
    kernel: str
    symbol: str
    macs: int
    weight_bytes: int
    scratch_bytes: int
    activation_bytes: int
    input_shapes: tuple[tuple[int, ...], ...]
    output_shapes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Resident:
    """What lies in the arena from `first` to `last`, in steps: -1 is before the run."""

    name: str
    offset: int
    nbytes: int
    first: int
    last: int


ARENA_PART_ALIGNMENT = 64
"""Bytes; the offsets of each arena in a memory of its own start at a multiple of this."""


@dataclass(frozen=True, slots=True)
class ArenaPart:
    """The arena in one of several memories: all offsets from `start` on lie in `region`.

    The first is the main one, in which the inputs and outputs are.
    """

    region: str
    start: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Bands:
    """Layers that run in bands of rows, to keep a RAM budget.

    `pace` says how many rows of the last tensor a band makes. Nothing is computed twice: what it
    costs are calls, and `moved_bytes` in each run, because row buffers keep rows for the next band.
    """

    layers: tuple[str, ...]
    bands: int
    pace: str
    buffer_bytes: int
    moved_bytes: int

    @property
    def text(self) -> str:
        """One line for reports."""
        return (
            f"{self.layers[0]} to {self.layers[-1]}: {self.bands} bands, {self.pace}; row buffers "
            f"and scratch {self.buffer_bytes:,} B, {self.moved_bytes:,} B moved, no MAC twice"
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts about a build that a tool needs without parsing C."""

    name: str
    prefix: str
    board: str
    core: str
    objective: str
    arena_bytes: int
    arena_lower_bound_bytes: int
    constant_bytes: int
    state_bytes: int
    macs: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    layers: tuple[Layer, ...]
    steps: tuple[str, ...]
    memory: tuple[Resident, ...]
    compile_flags: tuple[str, ...]
    bands: tuple[Bands, ...] = ()
    arenas: tuple[ArenaPart, ...] = ()
    """Empty where one memory holds the arena."""


@dataclass(frozen=True)
class Artifact:
    """A manifest and the text of every generated file, by file name."""

    manifest: Manifest
    files: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))

    def write(self, folder: Path, extra: Mapping[str, str | bytes] | None = None) -> None:
        """Write all files and the manifest into `folder`, all or nothing.

        `extra` are further files (reports). A folder that an earlier build wrote is replaced;
        one that holds anything else is refused with ArtifactError.
        """
        _refuse_foreign(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            staged.chmod(0o755)
            for name, text in {**self.files, **(extra or {})}.items():
                (staged / name).write_bytes(text if isinstance(text, bytes) else text.encode())
            (staged / MANIFEST).write_bytes(self.manifest_json().encode())
            if folder.exists():
                shutil.rmtree(folder)
            staged.replace(folder)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise

    def manifest_json(self) -> str:
        """The manifest as JSON text, the list of files included."""
        content = {"format": FORMAT, **asdict(self.manifest), "files": sorted(self.files)}
        return json.dumps(content, indent=1) + "\n"

    @staticmethod
    def read(folder: Path) -> Artifact:
        """The artifact that `write` left in `folder`; raises ArtifactError."""
        content = _load_manifest(folder)
        try:
            files = {str(name): _read_text(folder, str(name)) for name in content.pop("files")}
            return Artifact(_manifest_of(content), files)
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise _damaged(folder, f"lacks or misstates {problem}") from problem


def _refuse_foreign(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ArtifactError(
            str(folder), "holds files that smidgen did not write", "choose another folder for -o"
        )
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(str(folder), "is a file", "choose another folder for -o")


def _load_manifest(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise ArtifactError(
            str(folder), f"is no build folder (no {MANIFEST})", "make one with: smidgen compile"
        ) from problem
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as problem:
        raise _damaged(folder, str(problem)) from problem
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise _damaged(folder, f"is not of format {FORMAT}")
    return content


def _read_text(folder: Path, name: str) -> str:
    if Path(name).name != name:
        raise _damaged(folder, f"names the file {name!r} outside the folder")
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ArtifactError(
            str(folder / name), "belongs to the build and cannot be read", "compile again"
        ) from problem


def _manifest_of(content: dict[str, Any]) -> Manifest:
    inputs, outputs = (
        tuple(_port(fields) for fields in content.pop(key)) for key in ("inputs", "outputs")
    )
    layers = tuple(_layer(fields) for fields in content.pop("layers"))
    flags = tuple(str(flag) for flag in content.pop("compile_flags"))
    steps = tuple(str(step) for step in content.pop("steps"))
    memory = tuple(Resident(**fields) for fields in content.pop("memory"))
    bands = tuple(_bands(fields) for fields in content.pop("bands"))
    arenas = tuple(ArenaPart(**fields) for fields in content.pop("arenas"))
    return Manifest(
        **content,
        inputs=inputs,
        outputs=outputs,
        layers=layers,
        steps=steps,
        memory=memory,
        compile_flags=flags,
        bands=bands,
        arenas=arenas,
    )


def _port(fields: dict[str, Any]) -> Port:
    port = Port(**{**fields, "shape": tuple(int(extent) for extent in fields["shape"])})
    DType.parse(port.dtype)
    return port


def _layer(fields: dict[str, Any]) -> Layer:
    shapes = {
        key: tuple(tuple(int(extent) for extent in shape) for shape in fields[key])
        for key in ("input_shapes", "output_shapes")
    }
    return Layer(**{**fields, **shapes})


def _bands(fields: dict[str, Any]) -> Bands:
    return Bands(**{**fields, "layers": tuple(str(layer) for layer in fields["layers"])})


def _damaged(folder: Path, why: str) -> ArtifactError:
    return ArtifactError(str(folder / MANIFEST), why, "compile again")
