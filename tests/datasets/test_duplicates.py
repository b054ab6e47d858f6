"""Rows with the same features on one side of a split, and medians of training rows in place of missing values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.datasets import DataError, load
from relaxbench.datasets.dataset import Source, stream
from relaxbench.datasets.prepare import prepare
from relaxbench.datasets.sampling import row_groups, sample_groups, shares


def on_both_sides(dataset) -> int:
    """How many feature rows, each counted once, are in training and in test."""
    train, test = ({tuple(row) for row in (X + 0.0).tolist()} for X in (dataset.X_train, dataset.X_test))
    return len(train & test)


def repeated(tmp_path, y, copies=4):
    """A user's file in which each row of features stands `copies` times, with labels y."""
    X = np.repeat(np.random.default_rng(0).normal(size=(len(y) // copies, 2)), copies, axis=0)
    np.savez(tmp_path / "a.npz", X=X, y=y)
    return f"file:{tmp_path / 'a.npz'}"


# --- groups of rows -------------------------------------------------------------------------------------------------


def test_row_groups_by_hand():
    X = np.array([[1.0, 0.0], [2.0, 3.0], [1.0, -0.0], [np.nan, 3.0], [2.0, 3.0], [np.nan, 3.0]])
    assert row_groups(X).tolist() == [0, 1, 0, 2, 1, 2]
    assert row_groups(np.asfortranarray(X)).tolist() == [0, 1, 0, 2, 1, 2]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=2, max_size=60), st.data())
def test_groups_stay_whole_and_each_class_is_there(pairs, data):
    groups, strata = (np.unique(np.array(column), return_inverse=True)[1] for column in zip(*pairs, strict=True))
    total = data.draw(st.integers(int(strata.max()) + 1, len(pairs)))
    taken = sample_groups(groups, strata, total, stream(data.draw(st.integers(0, 99)), "test"))
    assert (np.diff(taken) > 0).all()
    others = np.setdiff1d(np.arange(len(pairs)), taken)
    assert not set(groups[taken]) & set(groups[others])
    assert set(strata[taken]) == set(strata)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.data())
def test_groups_of_one_row_are_a_stratified_sample(strata, data):
    strata = np.unique(np.array(strata), return_inverse=True)[1]
    counts = np.bincount(strata)
    total = data.draw(st.integers(len(counts), len(strata)))
    taken = sample_groups(np.arange(len(strata)), strata, total, stream(0, "test"))
    upper = np.where(counts > 1, counts - 1, counts)
    expected = shares(counts, total, upper if upper.sum() >= total else counts)
    assert np.bincount(strata[taken], minlength=len(counts)).tolist() == expected.tolist()


def test_every_group_has_the_same_chance_and_the_total_is_nearly_kept():
    groups = np.repeat(np.arange(14), [5, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1])
    strata = np.zeros(len(groups), dtype=np.int64)
    hits = np.zeros(14)
    for seed in range(3000):
        taken = sample_groups(groups, strata, 14, stream(seed, "chance"))
        assert abs(len(taken) - 14) <= 1  # 5 + 4 + 3 + 3 is one too many
        hits[np.unique(groups[taken])] += 1
    np.testing.assert_allclose(hits / 3000, 0.5, atol=0.04)


# --- the split as users see it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("test_fraction", [0.5, 0.25, 0.1])
def test_copies_of_a_row_stay_on_one_side(tmp_path, test_fraction):
    name = repeated(tmp_path, np.repeat([0, 1, 2], 40))
    for seed in range(5):
        dataset = load(name, seed=seed, test_fraction=test_fraction, group_duplicates=True)
        assert on_both_sides(dataset) == 0
        assert len(dataset.X_train) + len(dataset.X_test) == 120
        assert abs(len(dataset.X_test) - 120 * test_fraction) <= 4
        assert (dataset.Y_train.sum(axis=0) >= 4).all()
        assert "the same features on one side" in dataset.provenance["split"]
    assert on_both_sides(load(name)) > 0  # the check can fail: without the option rows are drawn one by one


def test_copies_with_different_labels_stay_together(tmp_path):
    name = repeated(tmp_path, np.tile([0, 1, 2, 2], 30))
    for seed in range(5):
        dataset = load(name, seed=seed, group_duplicates=True)
        assert on_both_sides(dataset) == 0
        assert len(dataset.X_train) == len(dataset.X_test) == 60


def test_regression_is_grouped_too_and_a_subsample_stays_on_its_side(tmp_path):
    X = np.repeat(np.arange(20.0), 3)[:, None]
    np.savez(tmp_path / "a.npz", X=X, Y=np.arange(60.0)[:, None])
    dataset = load(f"file:{tmp_path / 'a.npz'}", group_duplicates=True, n=11, n_test=7)
    assert on_both_sides(dataset) == 0
    assert (len(dataset.X_train), len(dataset.X_test)) == (11, 7)


def test_without_duplicates_grouping_keeps_the_counts():
    plain, grouped = load("ionosphere", test_fraction=0.3), load("ionosphere", test_fraction=0.3, group_duplicates=True)
    assert plain.Y_train.sum(axis=0).tolist() == grouped.Y_train.sum(axis=0).tolist()


def test_data_that_cannot_be_split_into_different_rows(tmp_path):
    name = repeated(tmp_path, np.tile([0, 1], 4), copies=8)
    with pytest.raises(DataError, match="repeat no training row") as caught:
        load(name, group_duplicates=True)
    assert "\n" not in str(caught.value)
    assert len(load(name, group_duplicates=True, test_fraction=0).X_train) == 8


@pytest.mark.parametrize("value", [1, "yes", None])
def test_the_option_is_true_or_false(value):
    with pytest.raises(DataError, match="group_duplicates must be true or false"):
        load("iris", group_duplicates=value)


def test_a_test_set_of_its_own_is_not_split():
    with pytest.raises(DataError, match="test set of its own"):
        load("random", group_duplicates=True)


# --- missing values -------------------------------------------------------------------------------------------------

NAN = float("nan")
X = np.array([[1.0, NAN, NAN], [2.0, 5.0, NAN], [4.0, 7.0, NAN], [NAN, 100.0, NAN]])
X_TEST = np.array([[NAN, NAN, 3.0], [9.0, 9.0, NAN]])


def missing(X_test=X_TEST):
    return Source(X, np.zeros((4, 1)), None, {}, X_test, np.zeros((len(X_test), 1)))


def test_missing_values_get_medians_of_training_rows_by_hand():
    dataset = prepare(missing(), name="x", seed=0)
    assert dataset.X_train.tolist() == [[1, 7, 0], [2, 5, 0], [4, 7, 0], [2, 100, 0]]
    assert dataset.X_test.tolist() == [[2, 7, 3], [9, 9, 0]]
    (line,) = dataset.provenance["warnings"]
    assert line == "9 missing values have the median of their column over the training rows."


def test_test_rows_change_no_median():
    a, b = (prepare(missing(X_test), name="x", seed=0, preprocess="standardize") for X_test in (X_TEST, 50 * X_TEST))
    np.testing.assert_array_equal(a.X_train, b.X_train)
    assert a.X_test[0, 1] == b.X_test[0, 1]  # missing in both


def test_medians_are_those_of_the_rows_kept():
    kept = set()
    for seed in range(20):
        dataset = prepare(missing(), name="x", seed=seed, n=1)
        train = dataset.X_train[0].tolist()
        assert dataset.X_test[0].tolist() == [*train[:2], 3]
        kept.add(tuple(train))
    assert kept == {(1, 0, 0), (2, 5, 0), (4, 7, 0), (0, 100, 0)}
