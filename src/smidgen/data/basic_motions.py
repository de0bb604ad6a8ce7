"""BasicMotions: four motions, felt by a smartwatch; it comes with the sktime package.

Accelerometer and gyroscope, three axes each, 10 samples per second for 10 seconds, 40 recordings
to train on and 40 to test on, of Badminton, Running, Standing and Walking. The files do not say
which recording is from which of the four students, so that the archive's own split is kept.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from smidgen.core.errors import DatasetError, MissingExtra
from smidgen.data.collection import read_ts_dataset, renamed
from smidgen.data.dataset import Dataset

NAME = "basic-motions"
RATE_HZ = 10.0
CHANNELS = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
_FOLDER = Path("datasets", "data", "BasicMotions")


def load_basic_motions() -> Dataset:
    """Read BasicMotions out of the installed sktime package, without importing it.

    Raises:
        MissingExtra: sktime is not installed.
        DatasetError: It is installed, but its data files are not there or not readable.
    """
    train = _sktime_folder() / _FOLDER / "BasicMotions_TRAIN.ts"
    test = train.with_name("BasicMotions_TEST.ts")
    for half in (train, test):
        if not half.is_file():
            raise DatasetError(
                str(half), "this sktime does not carry the file", "pip install -U 'smidgen[demo]'"
            )
    dataset = read_ts_dataset(train, RATE_HZ, CHANNELS)
    about = "Standing, running, walking and badminton: smartwatch accelerometer and gyroscope."
    return renamed(dataset, NAME, (), about, "UEA time series archive, as carried by sktime")


def _sktime_folder() -> Path:
    # Importing sktime takes seconds and needs pandas; its files are just as good unimported.
    spec = importlib.util.find_spec("sktime")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("sktime", "demo", "the BasicMotions dataset")
    return Path(next(iter(spec.submodule_search_locations)))
