"""Recordings, labels and datasets: the readers, the splits and the folder layout."""

from smidgen.data.catalogue import BUNDLED, open_dataset
from smidgen.data.collection import read_ts_dataset
from smidgen.data.dataset import Dataset, Split, require_trainable, shared_groups
from smidgen.data.layout import read_dataset
from smidgen.data.readers.ts import read_ts
from smidgen.data.recording import Recording
from smidgen.data.splitting import cut_windows, split_by_group
from smidgen.data.writer import write_dataset

__all__ = [
    "BUNDLED",
    "Dataset",
    "Recording",
    "Split",
    "cut_windows",
    "open_dataset",
    "read_dataset",
    "read_ts",
    "read_ts_dataset",
    "require_trainable",
    "shared_groups",
    "split_by_group",
    "write_dataset",
]
