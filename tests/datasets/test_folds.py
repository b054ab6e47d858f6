"""Folds of a partition and the split on which hyper-parameters are chosen: who is where, and how often."""

import numpy as np
import pytest
from relaxbench.datasets import DataError, load


def arrays(tmp_path, X, **targets):
    np.savez(tmp_path / "d.npz", X=X, **targets)
    return f"file:{tmp_path / 'd.npz'}"


@pytest.fixture
def numbered(tmp_path):
    """120 rows that carry their number, three classes of 60, 40 and 20 rows."""
    X = np.column_stack([np.arange(120.0), np.random.default_rng(0).standard_normal((120, 2))])
    return arrays(tmp_path, X, y=np.repeat([0, 1, 2], [60, 40, 20]))


def numbers(X):
    return sorted(X[:, 0].astype(int))


def test_the_folds_of_a_partition_test_every_row_once_and_train_on_all_others(numbered):
    folds = [load(numbered, seed=seed, folds=4) for seed in range(4)]
    assert sorted(row for fold in folds for row in numbers(fold.X_test)) == list(range(120))
    for fold in folds:
        assert sorted(numbers(fold.X_train) + numbers(fold.X_test)) == list(range(120))
        np.testing.assert_array_equal(fold.Y_test.sum(axis=0), [15, 10, 5])
    again = load(numbered, seed=5, folds=4)
    assert "fold 2 of 4 of partition 1" in again.provenance["split"]
    assert numbers(again.X_test) != numbers(folds[1].X_test)


def test_the_validation_split_is_one_for_a_partition_and_halves_the_rows(numbered):
    capped = {load(numbered, seed=seed, folds=4, validation=True, cap=30).sha256 for seed in range(4)}
    assert len(capped) == 1
    splits = [load(numbered, seed=seed, folds=4, validation=True) for seed in range(5)]
    for split in splits:
        assert sorted(numbers(split.X_train) + numbers(split.X_test)) == list(range(120))
        np.testing.assert_array_equal(split.Y_train.sum(axis=0), [30, 20, 10])
    assert len({split.sha256 for split in splits[:4]}) == 1
    assert splits[4].sha256 != splits[0].sha256


@pytest.mark.parametrize("regression", [False, True])
def test_copies_of_a_row_stay_in_one_fold(tmp_path, regression):
    rng = np.random.default_rng(1)
    X = rng.integers(0, 30, size=(200, 1)).astype(float)
    name = arrays(tmp_path, X, **({"Y": X} if regression else {"y": rng.integers(0, 2, 200)}))
    for seed in range(4):
        fold = load(name, seed=seed, folds=4, group_duplicates=True)
        assert not set(fold.X_train[:, 0]) & set(fold.X_test[:, 0])
        apart = load(name, seed=seed, folds=4)
        assert set(apart.X_train[:, 0]) & set(apart.X_test[:, 0])


def test_a_cap_thins_training_rows_alone_and_only_where_there_are_more(numbered):
    fold = load(numbered, seed=0, folds=4, cap=30)
    assert (len(fold.X_train), len(fold.X_test)) == (30, 30)
    np.testing.assert_array_equal(fold.Y_train.sum(axis=0), [15, 10, 5])
    assert len(load(numbered, seed=0, folds=4, cap=400).X_train) == 90
    assert len(load(numbered, seed=0, folds=4, cap=30, validation=True).X_train) == 30


def test_real_targets_are_standardised_by_training_rows_and_labels_stay(numbered, tmp_path):
    rng = np.random.default_rng(2)
    name = arrays(tmp_path, rng.standard_normal((40, 2)), Y=100 + 7 * rng.standard_normal((40, 2)))
    raw, fitted = (load(name, seed=0, folds=4, standardize_targets=on) for on in (False, True))
    mean, spread = raw.Y_train.mean(axis=0), raw.Y_train.std(axis=0)
    np.testing.assert_allclose(fitted.Y_train, (raw.Y_train - mean) / spread)
    np.testing.assert_allclose(fitted.Y_test, (raw.Y_test - mean) / spread)


def test_labels_stay_one_hot_where_targets_are_to_be_standardised(numbered):
    assert set(np.unique(load(numbered, standardize_targets=True).Y_train)) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"folds": 1}, "folds must be a whole number from 2"),
        ({"folds": 61}, "folds must be at most 60"),
        ({"validation": True}, "validation must go with folds"),
        ({"folds": 4, "cap": 0}, "cap must be a whole number from 1"),
        ({"folds": 4, "cap": 20, "n": 20}, "cap and n must not both be given"),
    ],
)
def test_what_cannot_be_divided_is_refused_in_one_line(numbered, options, text):
    with pytest.raises(DataError, match=text):
        load(numbered, **options)


def test_data_with_a_test_set_of_their_own_have_no_folds(tmp_path):
    X = np.eye(6)
    with pytest.raises(DataError, match="folds must be left out"):
        load(arrays(tmp_path, X, y=np.arange(6) % 2, X_test=X, y_test=np.arange(6) % 2), folds=2)
