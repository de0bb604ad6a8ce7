"""Weights of Winograd's F(2x2, 3x3), as smg_winograd_sums_dsp.h wants them.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), section 4.1, with each
side of the weight transform doubled, so that all its entries are integers.
"""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array

SUM_FACTOR = 4
"""How many times its sum of products a pixel comes as."""
_DOUBLED_G = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.int64)
_OUTPUTS = 4


def transformed(weights: Array) -> Array:
    """(2G) w (2G)^T of int8 weights [outputs, 3, 3, channels]: [outputs, 16, channels].

    The largest entry, 9 * 128, fits 16 bits.
    """
    places: Array = np.einsum("ih,jw,ohwc->oijc", _DOUBLED_G, _DOUBLED_G, weights.astype(np.int64))
    return np.asarray(places.reshape(len(places), 16, -1))


def pack_winograd(weights: Array, words: Array) -> Array:
    """Blocks of four outputs, as int32 words: transformed weights, then their scaling.

    Weights [outputs, 16, channels], channels a multiple of 4, become for each place and each two
    channels (0, 2), (1, 3), (4, 6), ... one word for each output. `words` [outputs, words of each]
    follow output by output. Outputs are filled up with 0.
    """
    missing = -len(weights) % _OUTPUTS
    padded = np.pad(weights, ((0, missing), (0, 0), (0, 0))) & 0xFFFF
    blocks, channels = len(padded) // _OUTPUTS, padded.shape[2]
    split = padded.reshape(blocks, _OUTPUTS, 16, channels // 4, 2, 2)
    pairs = split[..., 0, :] | split[..., 1, :] << 16
    stream = pairs.transpose(0, 2, 3, 4, 1).reshape(blocks, -1)
    table = np.pad(words, ((0, missing), (0, 0))).reshape(blocks, -1)
    joined = np.concatenate([stream, table], axis=1).reshape(-1)
    return (joined & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
