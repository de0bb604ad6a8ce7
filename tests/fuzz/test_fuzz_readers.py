"""Damaged files of every kind that smidgen reads: an error of its own that names the file."""

from __future__ import annotations

import zipfile
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from fuzz_readers import attack, campaign
from hypothesis import given, settings
from hypothesis import strategies as st
from readers import READERS

from smidgen.core.errors import ArrayError, InputError
from smidgen.project.arrays import map_array
from smidgen.targets.catalogue import load_board

_FILES = 40


@pytest.mark.parametrize("name", READERS)
def test_the_files_to_start_from_are_sound(name: str, tmp_path: Path) -> None:
    outcomes = [attack(READERS[name], data, tmp_path) for data in READERS[name].seeds()]
    assert outcomes[0], "the first one is sound; others may be files of a neighbouring kind"


@pytest.mark.parametrize("name", READERS)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    for _, data in islice(campaign(READERS[name], seed=1), _FILES):
        attack(READERS[name], data, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_files(name: str, tmp_path: Path) -> None:
    for _, data in islice(campaign(READERS[name], seed=2), 4000):
        attack(READERS[name], data, tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_truncated_files(name: str, tmp_path: Path) -> None:
    data = READERS[name].seeds()[0]
    for length in range(0, len(data), max(1, len(data) // 25)):
        attack(READERS[name], data[:length], tmp_path)


@settings(deadline=None)
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=200), st.integers(0, 400))
def test_sound_files_with_random_bytes_inside(
    tmp_path_factory: pytest.TempPathFactory, name: str, added: bytes, at: int
) -> None:
    data = READERS[name].seeds()[0]
    changed = data[:at] + added + data[at + len(added) // 2 :]
    attack(READERS[name], changed, tmp_path_factory.getbasetemp())


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 3000, "clock_hz = " + "9" * 5000, "\ud800".encode("utf-8", "surrogatepass")],
    ids=["nested", "digits", "encoding"],
)
def test_a_board_file_that_no_parser_takes_is_named(text: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=r"board\.toml: is not TOML"):
        load_board(path)


def test_a_board_file_with_an_unknown_core_is_named(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_bytes(READERS["board"].seeds()[0].replace(b"cortex-m4f", b"cortex-m4x"))
    with pytest.raises(InputError, match=r"board\.toml: field 'core'.*did you mean cortex-m4f"):
        load_board(path)


@pytest.mark.parametrize("kind", ["zip", "claims", "literal", "pickle"])
def test_what_is_no_array_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", bytes(10_000_000))
    elif kind == "pickle":
        np.save(path, np.array([{}, 1], dtype=object))
    else:
        text = {"claims": "(9999999999,)", "literal": "((((("}[kind]
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {text}}}\n".encode()
        path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(ArrayError, match=r"x\.npy: is no \.npy array"):
        map_array(path)
