"""random and spiral against their definitions, worked out here a second time."""

import numpy as np
import pytest
from relaxbench.datasets import DataError, load


def _generator(seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(purpose.encode())))


@pytest.mark.parametrize(("n", "d", "c", "m", "seed"), [(25, 2, 5, 100, 0), (7, 3, 1, 4, 11), (1, 1, 1, 1, 3)])
def test_random_is_the_papers_teacher(n, d, c, m, seed):
    dataset = load("random", n=n, d=d, c=c, teacher_width=m, seed=seed)
    teacher = _generator(seed, "teacher")
    U, V = teacher.standard_normal((d, m)), teacher.standard_normal((c, m))
    assert dataset.labels is None
    for X, Y, part in (
        (dataset.X_train, dataset.Y_train, "training"),
        (dataset.X_test, dataset.Y_test, "test"),
    ):
        np.testing.assert_array_equal(X, _generator(seed, f"random rows for {part}").standard_normal((n, d)))
        by_neuron = sum(np.outer(np.maximum(X @ U[:, j], 0), V[:, j]) for j in range(m))
        np.testing.assert_allclose(Y, by_neuron, rtol=1e-12, atol=1e-12)


def test_random_targets_scale_like_the_teacher():
    """E‖Y‖² per entry is m·E[(xᵀu)₊²] = m·d/2 for standard normal x, u, v."""
    squares = [np.mean(load("random", n=200, d=3, c=4, teacher_width=50, seed=seed).Y_train ** 2) for seed in range(30)]
    assert np.mean(squares) == pytest.approx(50 * 3 / 2, rel=0.15)


def test_random_noise_is_added_to_the_targets_alone():
    plain, noisy = load("random", n=2000, seed=1), load("random", n=2000, seed=1, noise=0.3)
    np.testing.assert_array_equal(plain.X_train, noisy.X_train)
    for part in ("Y_train", "Y_test"):
        difference = getattr(noisy, part) - getattr(plain, part)
        assert difference.std() == pytest.approx(0.3, rel=0.03)
        assert abs(difference.mean()) < 0.02


def test_random_test_rows():
    whole = load("random", n=20, seed=4)
    assert not np.isin(whole.X_test, whole.X_train).any()
    assert load("random", n=20, n_test=3).X_test.shape == (3, 2)
    assert load("random", n=20, test_fraction=0.2).X_test.shape == (5, 2)
    np.testing.assert_array_equal(load("random", n=20, n_test=3, seed=4).X_train, whole.X_train)
    np.testing.assert_array_equal(load("random", n=8, seed=4).X_train, whole.X_train[:8])  # a prefix, same teacher


@pytest.mark.parametrize(("arms", "points"), [(3, 20), (2, 5), (7, 11)])
def test_spiral_without_noise(arms, points):
    dataset = load("spiral", arms=arms, points=points, noise=0.0)
    assert dataset.labels == tuple(f"arm {k}" for k in range(arms))
    assert dataset.Y_train.sum(axis=0).tolist() == [points] * arms == dataset.Y_test.sum(axis=0).tolist()
    for k in range(arms):
        start = 4.0 * k if arms <= 3 else 2 * np.pi * k / arms
        for X, Y, radii in (
            (dataset.X_train, dataset.Y_train, [i / (points - 1) for i in range(points)]),
            (dataset.X_test, dataset.Y_test, [(i + 0.5) / points for i in range(points)]),
        ):
            expected = [[r * np.sin(start + 4 * r), r * np.cos(start + 4 * r)] for r in radii]
            np.testing.assert_allclose(X[Y[:, k] == 1], expected, atol=1e-15)


def test_spiral_with_noise_keeps_radii_and_has_a_zero_row_an_arm():
    dataset = load("spiral", seed=2)
    assert dataset.X_train.shape == (60, 2)
    assert np.count_nonzero((dataset.X_train == 0).all(axis=1)) == 3
    radii = np.hypot(*dataset.X_train.T).reshape(3, 20)
    np.testing.assert_allclose(radii, np.tile(np.linspace(0, 1, 20), (3, 1)), atol=1e-12)
    assert not np.isin(dataset.X_test, dataset.X_train).any()
    calm = load("spiral", seed=2, noise=0.0)
    turn = np.angle((dataset.X_train @ [1, 1j])[1:20] / (calm.X_train @ [1, 1j])[1:20])
    assert 0.05 < turn.std() < 0.4


def test_spiral_subsample_is_stratified():
    dataset = load("spiral", n=30, n_test=12)
    assert dataset.Y_train.sum(axis=0).tolist() == [10.0] * 3
    assert dataset.Y_test.sum(axis=0).tolist() == [4.0] * 3


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("random", {"n": 0}, "n must be a whole number"),
        ("random", {"d": 0}, "d must be a whole number"),
        ("random", {"c": -1}, "c must be a whole number"),
        ("random", {"teacher_width": 0}, "teacher_width must be a whole number"),
        ("random", {"n": 2.0}, "Got 2.0"),
        ("random", {"n": True}, "Got True"),
        ("random", {"noise": -0.1}, "noise must be a number"),
        ("random", {"noise": float("nan")}, "noise must be a number"),
        ("random", {"noise": 10**400}, "noise must be a number"),
        ("random", {"noise": "0.1"}, "noise must be a number"),
        ("random", {"n_test": 0}, "n_test must be a whole number"),
        ("random", {"n": 10**11}, "must fit into"),
        ("random", {"n": 10**400}, "n must be a whole number"),
        ("random", {"test_fraction": 1 - 1e-15}, "must fit into"),
        ("spiral", {"arms": 1}, "arms must be a whole number from 2"),
        ("spiral", {"points": 1}, "points must be a whole number from 2"),
        ("spiral", {"noise": float("inf")}, "noise must be a number"),
        ("spiral", {"points": 10**11}, "must fit into"),
        ("spiral", {"n": 61}, "at most the 60 training rows"),
        ("spiral", {"n": 2}, "at least the number of classes, 3"),
        ("spiral", {"n_test": 61}, "at most the 60 test rows"),
    ],
)
def test_bad_values(name, options, text):
    with pytest.raises(DataError, match=text) as caught:
        load(name, **options)
    assert "\n" not in str(caught.value)
