"""Splits, subsamples, preprocessing and the bias column: exact counts, nothing learnt from test rows, same bytes."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from relaxbench.datasets import NAMES, OPTIONS, DataError, Dataset, load
from relaxbench.datasets.dataset import stream
from relaxbench.datasets.sampling import sample, shares
from threadpoolctl import threadpool_limits

PARTS = ("X_train", "Y_train", "X_test", "Y_test")


def arrays(dataset: Dataset) -> list[np.ndarray]:
    return [getattr(dataset, part) for part in PARTS]


def save(path, **content) -> str:
    np.savez(path, **content)
    return f"file:{path}"


# --- shares and samples -------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.data())
def test_shares_add_up_stay_in_bounds_and_are_near_the_quota(counts, data):
    counts = np.array(counts)
    assume(counts.sum() > 0)
    total = data.draw(st.integers(1, int(counts.sum())))
    given_rows = shares(counts, total, counts)
    quota = total * counts / counts.sum()
    assert given_rows.sum() == total
    assert (given_rows <= counts).all()
    if total >= np.count_nonzero(counts):
        assert (given_rows[counts > 0] >= 1).all()
    if (quota[counts > 0] >= 1).all():  # no class had to be lifted: each is its quota rounded
        assert (np.abs(given_rows - quota) < 1).all()


def test_shares_are_the_nearest_to_the_quota_by_brute_force():
    for counts in itertools.product(range(1, 5), repeat=3):
        counts = np.array(counts)
        for total in range(3, counts.sum() + 1):
            quota = total * counts / counts.sum()
            choices = [
                np.array(rows) for rows in itertools.product(*(range(1, k + 1) for k in counts)) if sum(rows) == total
            ]
            best = min(np.sum((rows - quota) ** 2) for rows in choices)
            assert np.sum((shares(counts, total, counts) - quota) ** 2) == pytest.approx(best)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.data())
def test_every_class_is_in_both_parts_where_possible(strata, data):
    strata = np.array(strata)
    counts = np.bincount(strata)
    classes = np.count_nonzero(counts)
    assume(len(strata) > classes)
    total = data.draw(st.integers(classes, len(strata) - 1))
    train = sample(strata, total, stream(0, "test"), leave_one=True)
    test = np.setdiff1d(np.arange(len(strata)), train)
    assert len(train) == total == len(np.unique(train))
    assert set(strata[train]) == set(strata)
    divisible = np.flatnonzero(counts > 1)
    if len(test) >= len(divisible):
        assert set(strata[test]) >= set(divisible)


def test_samples_are_uniform_within_a_class():
    strata = np.repeat([0, 1], [6, 3])
    hits = np.zeros(9)
    for seed in range(3000):
        hits[sample(strata, 3, stream(seed, "uniform"))] += 1
    np.testing.assert_allclose(hits / 3000, 1 / 3, atol=0.04)


def test_counts_agree_with_scikit_learns_stratified_split():
    from sklearn.model_selection import train_test_split

    for name in ("iris", "ionosphere", "pima", "banknote"):
        ours = load(name)
        y = np.vstack([ours.Y_train, ours.Y_test]).argmax(axis=1)
        theirs, _ = train_test_split(y, test_size=0.5, stratify=y, random_state=0)
        assert len(theirs) == len(ours.Y_train)
        assert np.abs(np.bincount(theirs) - ours.Y_train.sum(axis=0)).max() <= 1  # ties may fall either way


# --- the split and the subsample as users see them ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test_fraction", "train", "test"),
    [
        (0, [50, 50, 50], [0, 0, 0]),
        (0.5, [25, 25, 25], [25, 25, 25]),
        (0.2, [40, 40, 40], [10, 10, 10]),
        (0.7, [15, 15, 15], [35, 35, 35]),
    ],
)
def test_split_counts(test_fraction, train, test):
    dataset = load("iris", test_fraction=test_fraction)
    assert dataset.Y_train.sum(axis=0).tolist() == train
    assert dataset.Y_test.sum(axis=0).tolist() == test


def test_split_keeps_proportions_of_unequal_classes():
    dataset = load("ionosphere")  # 126 and 225 of 351, 175 for training: quotas 62.8 and 112.2
    assert dataset.Y_train.sum(axis=0).tolist() == [63, 112]
    assert dataset.Y_test.sum(axis=0).tolist() == [63, 113]
    small = load("pima", n=100, n_test=50)
    assert small.Y_train.sum(axis=0).tolist() == [65, 35]
    assert small.Y_test.sum(axis=0).tolist() == [33, 17]


def test_the_two_parts_are_disjoint_and_complete(tmp_path):
    X = np.arange(21.0)[:, None]
    name = save(tmp_path / "a.npz", X=X, y=np.arange(21) % 4)
    seen = set()
    for seed in range(5):
        dataset = load(name, seed=seed, test_fraction=0.3)
        assert sorted([*dataset.X_train[:, 0], *dataset.X_test[:, 0]]) == X[:, 0].tolist()
        assert len(dataset.X_test) == 7  # ⌈6.3⌉
        assert (dataset.Y_train.argmax(axis=1) == dataset.X_train[:, 0] % 4).all()
        seen.add(tuple(dataset.X_test[:, 0]))
    assert len(seen) == 5


def test_rare_classes_stay_in_training(tmp_path):
    y = np.array([0] * 10 + [1] * 2 + [2])
    name = save(tmp_path / "a.npz", X=np.arange(13.0)[:, None], y=y)
    for seed in range(10):
        for test_fraction in (0.1, 0.5, 0.99):
            dataset = load(name, seed=seed, test_fraction=test_fraction)
            assert (dataset.Y_train.sum(axis=0) >= 1).all()
            assert dataset.Y_train.shape[1] == 3
        assert load(name, seed=seed).Y_test.sum(axis=0).tolist()[1:] == [1, 0]
        assert len(load(name, seed=seed, test_fraction=0.99).X_train) == 3
        assert (load(name, seed=seed, n=3).Y_train.sum(axis=0) == 1).all()


def test_regression_is_split_uniformly(tmp_path):
    name = save(tmp_path / "a.npz", X=np.arange(10.0)[:, None], Y=np.arange(20.0).reshape(10, 2))
    dataset = load(name, test_fraction=0.3, n=4)
    assert dataset.labels is None
    assert dataset.X_train.shape == (4, 1)
    assert dataset.X_test.shape == (3, 1)
    np.testing.assert_array_equal(dataset.Y_train[:, 0], 2 * dataset.X_train[:, 0])


def test_a_subsample_leaves_the_other_part_alone():
    whole = load("iris", seed=3)
    assert np.array_equal(load("iris", seed=3, n=30).X_test, whole.X_test)
    assert np.array_equal(load("iris", seed=3, n_test=9).X_train, whole.X_train)
    kept = {tuple(row) for row in load("iris", seed=3, n=30).X_train}
    assert kept <= {tuple(row) for row in whole.X_train}


# --- preprocessing --------------------------------------------------------------------------------------------------


def test_standardize_by_hand():
    raw, done = load("pima", seed=1), load("pima", seed=1, preprocess="standardize")
    mean, deviation = raw.X_train.mean(axis=0), raw.X_train.std(axis=0)
    np.testing.assert_allclose(done.X_train, (raw.X_train - mean) / deviation, atol=1e-12)
    np.testing.assert_allclose(done.X_test, (raw.X_test - mean) / deviation, atol=1e-12)


@pytest.mark.parametrize("preprocess", ["pca:3", "standardize+pca:3"])
def test_pca_by_hand(preprocess):
    first = "standardize" if preprocess.startswith("standardize") else "none"
    raw, done = load("ionosphere", preprocess=first), load("ionosphere", preprocess=preprocess)
    mean = raw.X_train.mean(axis=0)
    _, _, B = np.linalg.svd(raw.X_train - mean, full_matrices=False)
    for ours, X in ((done.X_train, raw.X_train), (done.X_test, raw.X_test)):
        expected = (X - mean) @ B[:3].T
        signs = np.sign(np.sum(ours * expected, axis=0))
        np.testing.assert_allclose(ours * signs, expected, atol=1e-10)


@pytest.mark.parametrize("preprocess", ["none", "standardize", "pca:2", "standardize+pca:2"])
def test_test_rows_change_nothing_in_training(tmp_path, preprocess):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4)), np.arange(20) % 2
    plain = save(tmp_path / "a.npz", X=X, y=y, X_test=X + 1, y_test=y)
    other = save(tmp_path / "b.npz", X=X, y=y, X_test=1e6 * rng.normal(size=(8, 4)), y_test=y[:8])
    a, b = load(plain, preprocess=preprocess), load(other, preprocess=preprocess)
    np.testing.assert_array_equal(a.X_train, b.X_train)

    whole = save(tmp_path / "c.npz", X=X, y=y)  # the same for test rows that the split sets aside
    c = load(whole, preprocess=preprocess)
    held_out = load(whole).X_test
    changed = X.copy()
    changed[[np.flatnonzero((row == X).all(axis=1))[0] for row in held_out]] *= 1e3
    d = load(save(tmp_path / "d.npz", X=changed, y=y), preprocess=preprocess)
    np.testing.assert_array_equal(c.X_train, d.X_train)
    assert not np.array_equal(c.X_test, d.X_test)


def test_preprocessing_is_fitted_on_the_rows_kept():
    dataset = load("pima", n=50, preprocess="standardize")
    np.testing.assert_allclose(dataset.X_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(dataset.X_train.std(axis=0), 1, atol=1e-12)


def test_constant_columns_are_centred_and_reported(tmp_path):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=12), np.full(12, 7.0), np.zeros(12), np.full(12, 1e15) + 0.125])
    dataset = load(save(tmp_path / "a.npz", X=X, y=np.arange(12) % 2), preprocess="standardize")
    np.testing.assert_array_equal(dataset.X_train[:, 1:], 0.0)
    np.testing.assert_array_equal(dataset.X_test[:, 1:], 0.0)
    assert any("3 of 4 features are constant" in line for line in dataset.provenance["warnings"])
    assert any("constant" in line for line in load("ionosphere", preprocess="standardize").provenance["warnings"])


@pytest.mark.parametrize("preprocess", ["standardize", "pca:2", "standardize+pca:1"])
def test_values_too_large_to_square(tmp_path, preprocess):
    X = np.array([[1.0, 1e308], [2.0, 0.9e308], [3.0, 1e308], [4.0, 0.8e308]] * 2)
    name = save(tmp_path / "a.npz", X=X, y=np.arange(8) % 2)
    assert load(name).X_train.max() == 1e308
    with pytest.raises(DataError, match="rescale the columns"):
        load(name, preprocess=preprocess)


@pytest.mark.parametrize("preprocess", ["none", "standardize", "pca:2"])
def test_bias_is_the_last_column_and_is_ones(preprocess):
    without, with_bias = load("iris", preprocess=preprocess), load("iris", preprocess=preprocess, bias=True)
    for part in ("X_train", "X_test"):
        X = getattr(with_bias, part)
        np.testing.assert_array_equal(X[:, :-1], getattr(without, part))
        np.testing.assert_array_equal(X[:, -1], 1.0)
    assert with_bias.sha256 != without.sha256
    assert "ones" in with_bias.provenance["preprocessing"]


# --- the same bytes, and seeds that are not shared ------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mnist"])
def test_same_name_seed_and_options_give_the_same_bytes(name):
    options = {"preprocess": "standardize+pca:2", "bias": True, "n": 20}
    a, b, c = (load(name, seed=seed, **options) for seed in (5, 5, 6))
    assert all(x.tobytes() == y.tobytes() for x, y in zip(arrays(a), arrays(b), strict=True))
    assert a.sha256 == b.sha256 != c.sha256


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "options"),
    [("mnist", {"preprocess": "pca:20", "n": 500, "n_test": 100}), ("random", {"n": 3000, "d": 50})],
)
def test_threads_change_no_byte(name, options):
    hashes = set()
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            hashes.add(load(name, **options).sha256)
    assert len(hashes) == 1


def test_hash_tells_shapes_values_and_kind_apart():
    X, Y = np.arange(6.0).reshape(3, 2), np.eye(3)[:, :2]
    base = Dataset(X, Y, X, Y, ("a", "b"), "x")
    others = [
        Dataset(X, Y, X, Y, None, "x"),
        Dataset(X.reshape(2, 3), Y, X, Y, ("a", "b"), "x"),
        Dataset(X, Y, X + 1, Y, ("a", "b"), "x"),
        Dataset(X, Y, X, 1 - Y, ("a", "b"), "x"),
        Dataset(Y, X, X, Y, ("a", "b"), "x"),
    ]
    assert len({dataset.sha256 for dataset in [base, *others]}) == 6
    assert Dataset(X.copy(order="F"), Y, X, Y, ("c", "d"), "y").sha256 == base.sha256


def test_dataset_does_not_share_memory_with_the_caller():
    X = np.ones((2, 2))
    dataset = Dataset(X, X, X, X, None, "x")
    X[0, 0] = 5.0
    assert dataset.X_train[0, 0] == 1.0


def test_streams_differ_by_seed_and_purpose():
    draws = [stream(seed, purpose).random(4).tolist() for seed in (0, 1, 2**32) for purpose in ("a", "b", "ab")]
    assert len({tuple(draw) for draw in draws}) == 9


# --- options --------------------------------------------------------------------------------------------------------


def test_options_are_read_off_the_signatures():
    common = {"n", "n_test", "preprocess", "bias", "test_fraction", "group_duplicates"}
    common |= {"folds", "validation", "cap", "standardize_targets"}
    assert set(OPTIONS["iris"]) == common
    assert set(OPTIONS["random"]) == common | {"d", "c", "teacher_width", "noise"}
    assert set(OPTIONS["spiral"]) == common | {"arms", "points", "noise"}
    assert set(OPTIONS["mnist"]) == common | {"source"}
    assert set(OPTIONS["file:PATH"]) == common | {"max_bytes"}
    assert (OPTIONS["mnist"]["n"], OPTIONS["random"]["n"], OPTIONS["iris"]["n"]) == (1000, 25, None)


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("iris", {"preproces": "none"}, "did you mean 'preprocess'"),
        ("iris", {"Bias": True}, "did you mean 'bias'"),
        ("iris", {"arms": 3}, "Got 'arms' instead"),
        ("random", {"width": 3}, "Options of 'random' must be among"),
        ("iris", {"n": 0}, "n must be a whole number"),
        ("iris", {"n": -3}, "n must be a whole number"),
        ("iris", {"n": "10"}, "Got '10'"),
        ("iris", {"n": 10.5}, "Got 10.5"),
        ("iris", {"n": 76}, "at most the 75 training rows of iris"),
        ("iris", {"n": 2}, "number of classes, 3"),
        ("iris", {"n_test": 0}, "n_test must be a whole number"),
        ("iris", {"n_test": 76}, "at most the 75 test rows"),
        *(("iris", {"test_fraction": v}, "between 0 and 1") for v in (1, -0.1, 1.5, float("nan"), "0.5", None, True)),
        *(("iris", {"bias": v}, "must be true or false") for v in ("yes", 1, None)),
        *(
            ("iris", {"preprocess": v}, "preprocess must be 'none'")
            for v in (
                "std",
                "pca",
                "pca:",
                "pca:x",
                "pca:-1",
                "pca:2+standardize",
                "",
                "none ",
                "PCA:2",
                None,
                2,
                "pca:٣",
            )
        ),
        ("iris", {"preprocess": "pca:0"}, "between 1 and 4"),
        ("iris", {"preprocess": "pca:5"}, "between 1 and 4 for 75 training rows of 4 features"),
        ("ionosphere", {"preprocess": "pca:11", "n": 10}, "between 1 and 10"),
        ("iris", {"seed": -1}, "seed must be a whole number"),
        ("iris", {"seed": 0.0}, "seed must be a whole number"),
        ("mnist", {"source": "ful"}, "did you mean 'full'"),
        ("irsi", {}, "did you mean 'iris'"),
        ("Iris", {}, "did you mean 'iris'"),
        ("my.npz", {}, "did you mean 'file:my.npz'"),
        ("", {}, "must be one of random"),
        ("file:", {}, "must be one of random"),
        (3, {}, "must be one of random"),
        (None, {}, "must be one of random"),
        (["iris"], {}, "must be one of random"),
    ],
)
def test_bad_options(name, options, text):
    with pytest.raises(DataError, match=text) as caught:
        load(name, **options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_numbers_of_numpy_are_taken_and_recorded_plainly():
    dataset = load("iris", n=np.int64(30), test_fraction=np.float32(0.5), bias=np.True_, seed=np.int32(2))
    assert dataset.sha256 == load("iris", n=30, bias=True, seed=2).sha256
    assert {type(value) for value in dataset.provenance["options"].values()} <= {int, float, bool, str, type(None)}
