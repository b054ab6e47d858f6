"""Activations by name, in problems, networks and gradients."""

import pickle

import numpy as np
import pytest
from relaxbench.solvers.activation import RELU, Activation

from relaxbench import Network, Problem, RelaxbenchError

TEXTS = ("relu", "leaky:0.1", "leaky:-0.5", "abs", "identity")


def test_names_are_read_and_written():
    assert [str(Activation.of(text)) for text in TEXTS] == list(TEXTS)
    aliases = {
        "leaky:0": "relu",
        "leaky:-0": "relu",
        "leaky:1": "identity",
        "leaky:-1": "abs",
        "leaky:.25": "leaky:0.25",
    }
    assert {text: str(Activation.of(text)) for text in aliases} == aliases
    assert [Activation.of(text).kind for text in TEXTS] == ["relu", "leaky", "leaky", "abs", "identity"]
    assert Activation.of(Activation.of("abs")) == Activation(1, 1)


@pytest.mark.parametrize(
    "bad", ["Relu", "leaky", "leaky:", "leaky:2", "leaky:nan", "tanh:1", "", 3, None, Activation(2, 0)]
)
def test_other_names_are_refused(bad):
    with pytest.raises(RelaxbenchError, match=r"activation must be .* Got .* instead\."):
        Activation.of(bad)


@pytest.mark.parametrize("text", TEXTS)
def test_functions_and_slopes(text):
    t = np.array([[-2.0, -0.5], [0.0, 3.0]])
    below = {"relu": 0.0, "leaky:0.1": 0.1, "leaky:-0.5": -0.5, "abs": -1.0, "identity": 1.0}[text]
    np.testing.assert_array_equal(Activation.of(text)(t), np.where(t > 0, t, below * t))
    np.testing.assert_array_equal(Activation.of(text).slope(t), np.where(t > 0, 1.0, below))


@pytest.mark.parametrize("text", TEXTS)
def test_the_gradient_is_that_of_the_objective(text):
    rng = np.random.default_rng(0)
    problem = Problem(rng.normal(size=(7, 3)), rng.normal(size=(7, 2)), 0.3, text)
    network = problem.network(rng.normal(size=(3, 4)), rng.normal(size=(4, 2)))
    R = Activation.of(text)(problem.X @ network.U) @ network.V - problem.Y
    value, gradient = problem.objective_and_gradient(network)
    assert value == problem.objective(network)
    assert value == pytest.approx(0.5 * np.sum(R**2) + 0.15 * (np.sum(network.U**2) + np.sum(network.V**2)))
    for k in range(4):
        step = np.zeros((3, 4))
        step[k % 3, k] = 1e-6
        up, down = (problem.objective(problem.network(network.U + sign * step, network.V)) for sign in (1, -1))
        assert gradient.U[k % 3, k] == pytest.approx((up - down) / 2e-6, rel=1e-5)


def test_a_problem_keeps_its_activation_and_loss():
    problem = Problem([[1.0], [-2.0]], [[1.0, 0.0], [0.0, 1.0]], 0.1, "leaky:0.1", "logistic")
    other_rows = problem.on([[1.0]], [[1.0, 0.0]])
    for other in (problem, pickle.loads(pickle.dumps(problem)), problem.scaled.problem, other_rows):
        assert other.parts[3:] == ("leaky:0.1", "logistic")
    assert repr(problem) == "Problem(n = 2, d = 1, c = 2, γ = 0.1, activation = leaky:0.1, loss = logistic)"
    assert repr(Problem([[1.0]], [[1.0]], 0.1)) == "Problem(n = 1, d = 1, c = 1, γ = 0.1)"
    with pytest.raises(RelaxbenchError, match="loss is unknown: 'hinge'"):
        Problem([[1.0]], [[1.0]], 0.1, loss="hinge")


def test_a_network_of_another_activation_is_refused():
    problem = Problem([[1.0], [-2.0]], [[1.0], [0.0]], 0.1, "abs")
    network = Network([[1.0]], [[1.0]])
    assert network.activation == RELU
    with pytest.raises(RelaxbenchError, match=r"must have the problem's activation abs\. Got relu instead"):
        problem.objective(network)
    assert repr(Network([[1.0]], [[1.0]], "abs")) == "Network(d = 1, width = 1, c = 1, activation = abs)"
    assert Network([[1.0]], [[1.0]], "leaky:0.5").predict([[-2.0]]) == -1.0
