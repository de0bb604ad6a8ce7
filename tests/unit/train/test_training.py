"""Networks, training and its promises: reproducible, honest about input, good at BasicMotions."""

import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from smidgen.core.errors import ArrayError, InputError

torch = pytest.importorskip("torch")

from smidgen import train  # noqa: E402
from smidgen.data import open_dataset  # noqa: E402

SMALL = train.NetworkConfig((train.Stage(4), train.Stage(6, kernel=3)))
QUICK = train.TrainingConfig(epochs=12, batch=6)


def tones(series=24, samples=40, seed=0):
    """Two classes that differ in pitch, far from zero and of unlike size per channel."""
    rng = np.random.default_rng(seed)
    y = np.arange(series) % 2
    time = np.arange(samples)
    wave = np.sin(time * (0.3 + 0.6 * y[:, None]) + rng.uniform(0, 6, (series, 1)))
    X = np.stack([wave * 100 + 500, wave * 0.01 + rng.normal(0, 1e-3, wave.shape)], axis=2)
    return X.astype(np.float32), y


def weights(network):
    return b"".join(t.detach().numpy().tobytes() for t in network.state_dict().values())


def trained(config=QUICK, network=SMALL, **options):
    X, y = tones()
    return train.fit(train.build_network(2, 2, network, seed=1), X, y, config, **options)


def test_two_runs_give_the_same_bytes_and_another_seed_does_not():
    first = weights(trained().network)
    torch.rand(7)  # what else draws random numbers has no part in it
    assert first == weights(trained().network)
    assert first != weights(trained(replace(QUICK, seed=1)).network)


def test_training_leaves_torchs_own_settings_alone():
    state = torch.random.get_rng_state()
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    trained()
    assert torch.equal(state, torch.random.get_rng_state())
    assert threads == torch.get_num_threads()
    assert strict == torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    "network",
    [
        SMALL,
        replace(SMALL, pooling="average", dropout=0.0),
        train.NetworkConfig((train.Stage(8, stride=2), train.Stage(8, pool=1, separable=True))),
        train.NetworkConfig((train.Stage(8, separable=True), train.Stage(8, kernel=3))),
    ],
)
def test_a_network_learns_from_raw_units_and_exports(network):
    result = trained(replace(QUICK, epochs=40, jitter=0.02), network)
    X, y = tones(seed=9)
    logits = train.predict(result.network, X)
    assert logits.shape == (24, 2) and logits.dtype == np.float32
    assert train.accuracy(y, logits.argmax(axis=1)) >= 0.9
    program = train.export_program(result.network, X.shape[1])
    one = torch.from_numpy(X[:1].transpose(0, 2, 1).copy())
    np.testing.assert_allclose(program.module()(one).detach().numpy(), logits[:1], rtol=1e-5)
    assert not result.network.training


@pytest.mark.parametrize("separable", [False, True])
def test_folding_the_standardisation_changes_nothing_but_the_graph(separable):
    config = train.NetworkConfig((train.Stage(4, separable=separable), train.Stage(6)))
    network = train.build_network(2, 3, config).eval()
    network.standardise.mean.copy_(torch.tensor([500.0, -2.0]).reshape(1, 2, 1))
    network.standardise.deviation.copy_(torch.tensor([70.0, 0.01]).reshape(1, 2, 1))
    X = tones()[0]
    before = train.predict(network, X)
    after = train.predict(train.fold_standardisation(network), X)
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-4)
    assert isinstance(network.standardise, torch.nn.Identity)


def test_a_channel_that_never_changes_does_no_harm():
    X, y = tones()
    X[:, :, 1] = 9.81
    result = train.fit(train.build_network(2, 2, SMALL), X, y, QUICK)
    assert np.isfinite(train.predict(result.network, X)).all()


def test_progress_is_told_every_epoch_and_history_keeps_it():
    seen = []
    result = trained(progress=seen.append)
    assert [report.epoch for report in seen] == list(range(1, QUICK.epochs + 1))
    assert tuple(seen) == result.history
    assert all(np.isfinite(r.loss) and 0 <= r.accuracy <= 1 for r in seen)
    assert result.validation_accuracy is None


def test_validation_is_held_out_of_training_or_given():
    held_out = trained(replace(QUICK, validation_fraction=0.25))
    assert (held_out.trained_on, held_out.validated_on) == (18, 6)
    assert 0 <= held_out.validation_accuracy <= 1
    given = trained(validation=tones(series=5, seed=3))
    assert (given.trained_on, given.validated_on) == (24, 5)
    # Watching decides nothing: the weights are those of a training without it.
    assert weights(given.network) == weights(trained().network)


def test_rare_classes_count_as_much_as_common_ones():
    X, y = tones(series=44)
    keep = np.flatnonzero((y == 0) | (np.arange(44) < 8))
    config = replace(QUICK, epochs=40)
    result = train.fit(train.build_network(2, 2, SMALL), X[keep], y[keep], config)
    Xt, yt = tones(series=40, seed=5)
    right = train.predict(result.network, Xt).argmax(axis=1) == yt
    assert right[yt == 1].mean() >= 0.8


def test_odd_last_batches_and_minimal_data_are_trained_on():
    X, y = tones()
    for series in (2, 3, 7, 13):
        train.fit(
            train.build_network(2, 2, SMALL), X[:series], y[:series], replace(QUICK, epochs=1)
        )


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda X, y: (X, y * 0), "all 24 series are of one class"),
        (lambda X, y: (X, y + 1), "class numbers from 1 to 2"),
        (lambda X, y: (X, y - 1), "class numbers from -1 to 0"),
        (lambda X, y: (X, y[:-1]), "give 24 class numbers"),
        (lambda X, y: (X, y.astype(float)), "float64 of shape"),
        (lambda X, y: (X[:, :, :1], y), r"the network takes numbers \[n, time, 2\]"),
        (lambda X, y: (X[0], y), "of shape"),
        (lambda X, y: (X[:0], y[:0]), "of shape"),
        (lambda X, y: (X[:, :6], y), "series of 6 samples are too short"),
        (lambda X, y: (np.where(X > 550, np.nan, X), y), "NaN or infinite"),
        (lambda X, y: (X.astype(str), y), "of shape"),
    ],
)
def test_unusable_input_is_refused_and_says_why(spoil, complaint):
    with pytest.raises(ArrayError, match=complaint):
        train.fit(train.build_network(2, 2, SMALL), *spoil(*tones()), QUICK)


def test_too_few_series_to_hold_out_or_to_fold_are_refused():
    X, y = tones(series=2)
    with pytest.raises(ArrayError, match="too few series"):
        train.fit(train.build_network(2, 2, SMALL), X, y, replace(QUICK, validation_fraction=0.5))
    with pytest.raises(ArrayError, match="two series of each class"):
        train.cross_validate(X, y, SMALL, QUICK)


def test_a_trained_network_is_not_trained_again_by_mistake():
    X, y = tones()
    with pytest.raises(ArrayError, match="trained before"):
        train.fit(trained().network, X, y, QUICK)


@pytest.mark.parametrize(
    "build",
    [
        lambda: train.NetworkConfig(()),
        lambda: train.NetworkConfig((train.Stage(4, kernel=4),)),
        lambda: train.NetworkConfig((train.Stage(0),)),
        lambda: train.TrainingConfig(epochs=0),
        lambda: train.TrainingConfig(learning_rate=0.0),
        lambda: train.TrainingConfig(shift=1.0),
        lambda: train.build_network(2, 1),
        lambda: train.build_network(0, 2),
    ],
)
def test_configurations_that_cannot_be_are_refused(build):
    with pytest.raises(InputError):
        build()


def test_cost_is_counted_as_by_hand():
    config = train.NetworkConfig((train.Stage(4, kernel=5), train.Stage(6, kernel=3)))
    network = train.build_network(2, 3, config)
    # 20 samples: 16 after the unpadded convolution, 8 after pooling, 4 after the second stage.
    assert train.count_macs(network, 20) == 16 * 4 * 2 * 5 + 8 * 6 * 4 * 3 + 6 * 3
    assert train.count_parameters(network) == 40 + 8 + 72 + 12 + 18 + 3


def test_cross_validation_judges_each_fold():
    X, y = tones()
    found = train.cross_validate(X, y, SMALL, replace(QUICK, epochs=30), number=3)
    assert len(found) == 3
    assert np.mean(found) >= 0.8


def test_the_room_imports_without_torch_and_names_the_extra_when_used():
    code = """
import sys
sys.modules["torch"] = None
import smidgen, smidgen.data, smidgen.train as train
from smidgen.core.errors import MissingExtra
train.NetworkConfig(), train.TrainingConfig(), train.confusion_matrix
try:
    train.fit(None, None, None)
except MissingExtra as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "smidgen[train]" in run.stdout


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_basic_motions_is_learnt(seed):
    if importlib.util.find_spec("sktime") is None:
        pytest.skip("sktime is not installed")
    data = open_dataset("basic-motions")
    network = train.build_network(len(data.channels), len(data.classes), seed=seed)
    result = train.fit(network, *data.arrays("train"), train.TrainingConfig(seed=seed))
    X, y = data.arrays("test")
    assert train.accuracy(y, train.predict(result.network, X).argmax(axis=1)) >= 0.95
    assert train.count_parameters(result.network) < 30_000
    assert train.count_macs(result.network, X.shape[1]) < 1_000_000
