"""On a line truth is a rational number: no certificate proves more, whatever the sizes of the numbers."""

import numpy as np
import pytest

from .honest import judge
from .line import on_a_line, random_number

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("error::RuntimeWarning")]
EDGES = [5e-324, 1e-310, 2.3e-308, 1e-200, 1.5e-162, 1e-154, 1e-77, 1e-8, 1.0, 1e8, 1e77, 1e154, 1e200, 1.7e308]


def attempt(seed):
    rng = np.random.default_rng(seed)
    n, wide = int(rng.integers(1, 4)), rng.random() < 0.7
    x, y = (np.array([random_number(rng, wide) for _ in range(n)]) for _ in range(2))
    if rng.random() < 0.5:  # near each other, so that it matters what is believed
        x, y = (np.ldexp(rng.standard_normal(n), int(np.frexp(a[0])[1])) for a in (x, y))
    gamma = abs(random_number(rng, wide))
    with np.errstate(all="ignore"):
        pull = float(np.max(np.abs(x)) * np.max(np.abs(y)))
        if rng.random() < 0.7 and 0 < pull < np.inf:
            gamma = max(float(pull * 2.0 ** rng.integers(-30, 2)), 5e-324)
    if rng.random() < 0.2:
        x[rng.integers(n)] = rng.choice([0.0, -0.0, 5e-324, -5e-324])
    theta = y.copy()
    if rng.random() < 0.3:
        theta[rng.integers(n)] = random_number(rng, True)
    if rng.random() < 0.3:
        with np.errstate(all="ignore"):
            theta = np.nan_to_num(theta * 2.0 ** rng.integers(-300, 300))
    z = abs(random_number(rng, True))
    return on_a_line(f"seed {seed}", x, y, min(gamma, 1.7e308), theta, z)


@pytest.mark.parametrize("part", range(4))
def test_no_certificate_on_a_line_proves_more_than_the_truth(part):
    for seed in range(20 * part, 20 * part + 20):
        for case in attempt(seed):
            judge(case)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_no_certificate_of_many_on_a_line_proves_more_than_the_truth(part):
    for seed in range(1000 * part, 1000 * part + 1000):
        for case in attempt(seed):
            judge(case)


@pytest.mark.parametrize("size", EDGES)
def test_sizes_at_which_squares_and_products_leave_the_range(size):
    """X, Y or γ at the edge; Θ = Y is worth ½‖Y‖² if it is taken for feasible."""
    for x, y, gamma in (
        (size, 1.0, 1.0),
        (1.0, size, 1.0),
        (1.0, 1.0, size),
        (size, 1.0, max(0.1 * size, 5e-324)),
        (1.0, size, size),
    ):
        X, Y = np.array([x, -x]), np.array([y, y / 2])
        for theta in (Y, np.minimum(2 * (Y / 2), 8e307) * 2):
            for z in (size,):
                for case in on_a_line(f"{x}, {y}, {gamma}", X, Y, gamma, theta, z):
                    judge(case)


def test_a_step_below_the_least_normal_number_is_not_rounded_up():
    """tΘ with t about 2.5e-324: the next double, 4.9e-324, would be twice as long as γ allows."""
    y = 8.4e-16
    for case in on_a_line("a tiny step", np.ones(1), np.array([y]), 4.3e-16, np.array([1.7e308])):
        judge(case)


def test_a_row_that_is_tiny_beside_another_counts():
    """−1e-315 beside 1e10 vanishes when rows are divided by the largest; a network fits it with huge weights."""
    x, y = np.array([1e10, -1e-315]), np.array([0.0, 1e150])
    for case in on_a_line("a tiny row", x, y, 1e-170, y):
        judge(case)


def test_a_row_of_one_unit_and_a_target_that_overflows_when_squared():
    for case in on_a_line("a huge target", np.ones(2), np.array([1e200, -1e200]), 1.0, np.array([1e200, -1e200])):
        judge(case)
