"""Recordings as 16-bit PCM .wav files."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import DatasetError
from smidgen.data.readers.limits import (
    MAX_CHANNELS,
    MAX_RECORDING_BYTES,
    check_values,
    checked_size,
)

FULL_SCALE = 32768.0


def read_wav(path: Path) -> tuple[Array, int]:
    """Read one .wav recording: float32 [time, channels] within [-1, 1), and its rate in Hz.

    Raises:
        DatasetError: The file is missing, too large, truncated, or not 16-bit PCM.
    """
    size = checked_size(path, MAX_RECORDING_BYTES)
    try:
        with wave.open(str(path), "rb") as file:
            _check_format(path, file)
            channels, rate_hz = file.getnchannels(), file.getframerate()
            # The header's count is a claim; the file's size is a fact.
            frames = file.readframes(min(file.getnframes(), size))
    except (wave.Error, EOFError, struct.error, OSError, ValueError, RuntimeError) as error:
        # The standard library's chunk reader answers a bad length with a bare RuntimeError.
        reason = str(error) or "it ends too early"
        raise DatasetError(
            str(path), f"not a PCM .wav file ({reason})", "save it as 16-bit PCM"
        ) from error
    whole = len(frames) // (2 * channels) * (2 * channels)
    if whole == 0:
        raise DatasetError(str(path), "it has no samples", "record it again")
    check_values(str(path), whole // 2)
    pcm = np.frombuffer(frames[:whole], dtype="<i2").reshape(-1, channels)
    return pcm.astype(np.float32) / np.float32(FULL_SCALE), rate_hz


def _check_format(path: Path, file: wave.Wave_read) -> None:
    if file.getsampwidth() != 2:
        raise DatasetError(
            str(path), f"{8 * file.getsampwidth()}-bit samples", "convert it to 16-bit PCM"
        )
    if not 1 <= file.getnchannels() <= MAX_CHANNELS:
        raise DatasetError(str(path), f"{file.getnchannels()} channels", "record at least one")
    if file.getframerate() < 1:
        raise DatasetError(str(path), "its sampling rate is 0 Hz", "save it again with its rate")
