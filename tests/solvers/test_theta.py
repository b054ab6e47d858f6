"""certificate_for: what can be proved of a given Θ comes close to what is true of it, whatever its scale."""

import numpy as np
import pytest
from relaxbench.solvers.checker import verify
from relaxbench.solvers.theta import certificate_for

import relaxbench as rb


def case(n, d, c, gamma=1.0):
    rng = np.random.default_rng(0)
    return rb.Problem(rng.standard_normal((n, d)), rng.standard_normal((n, c)), gamma)


def largest(theta, X):
    """max ‖Θᵀ(Xu)₊‖ over unit u by brute force: many directions."""
    U = np.random.default_rng(1).standard_normal((X.shape[1], 200_000))
    U /= np.linalg.norm(U, axis=0)
    return np.max(np.linalg.norm(theta.T @ np.maximum(X @ U, 0.0), axis=0))


def best_of(theta, problem):
    """What the feasible multiple of Θ stands for, up to the brute force."""
    t = problem.gamma / largest(theta, problem.X)
    return t * np.sum(theta * problem.Y) - 0.5 * t**2 * np.sum(theta**2)


@pytest.mark.thorough
@pytest.mark.parametrize(("d", "kind", "near"), [(2, "arcs", 1e-3), (3, "cover", 1e-2), (4, "cover", 1e-2)])
def test_the_proof_is_nearly_all_that_theta_stands_for(d, kind, near):
    problem = case(12, d, 2)
    for scale in (1e-300, 0.2, 5.0, 1e300):  # only the direction of Θ matters
        theta = scale * problem.Y
        certificate = certificate_for(problem, theta)
        proved = verify(certificate, problem.X, problem.Y, problem.gamma)
        assert certificate.kind == kind
        truth = best_of(problem.Y, problem)
        assert proved <= truth * (1 + 5e-3)  # brute force misses a little of the maximum
        assert proved >= truth * (1 - near)


def test_beyond_five_dimensions_the_best_T_and_z_prove_what_the_relaxation_does():
    problem = case(12, 6, 2)
    relaxed = rb.fit(problem, "sdp", width=5)
    certificate = certificate_for(problem, relaxed.certificate.theta)
    assert certificate.kind == "doubly nonnegative"
    assert verify(certificate, problem.X, problem.Y, problem.gamma) >= relaxed.lower_bound * (1 - 1e-3)
    twice = certificate_for(problem, 2 * relaxed.certificate.theta)
    assert verify(twice, problem.X, problem.Y, problem.gamma) >= relaxed.lower_bound * (1 - 1e-3)


def test_many_rows_get_z_alone_and_a_bound_all_the_same():
    problem = case(50, 6, 2)
    proved = verify(certificate_for(problem, problem.Y), problem.X, problem.Y, problem.gamma)
    assert 0 < proved <= 0.5 * np.sum(problem.Y**2)


def test_without_features_the_zero_network_is_proved_to_be_best():
    problem = rb.Problem(np.zeros((3, 2)), np.ones((3, 1)), 1.0)
    assert verify(certificate_for(problem, problem.Y), problem.X, problem.Y, 1.0) == pytest.approx(1.5)
