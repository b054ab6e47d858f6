"""The compiled loop of gradient descent: S networks at once, momentum or Adam, learning rate halved on plateau.

Weights are kept as U (S, m, d) and V (S, c, m), neurons before features, because all products of one epoch then run
over the last axis: A = UXᵀ, R = Vφ(A) − Yᵀ, dV = R φ(A)ᵀ, dU = (VᵀR ∘ φ'(A)) X. Each of the S runs has its own learning
rate and stops by itself; a run that has stopped is carried along unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from ..solvers.network import Array

Optimizer = Literal["momentum", "adam"]

MOMENTUM = 0.95
ADAM = 0.9, 0.999, 1e-8  # decay of the two moments and the guard of the division (Kingma & Ba 2015)
PROGRESS = 1e-5  # relative fall of the objective that counts as progress
HALVINGS = 12  # a run stops when its learning rate has been halved so often
SMALL = 2**17  # n·m·(d+c) up to which a CPU is better off with the whole loop in one function and one thread
BLOW_UP = 2.0  # a safeguarded run that climbs above this multiple of its best value goes back to its best network


@dataclass(frozen=True)
class Rule:
    """What is compiled in: the optimizer, rows a minibatch (None: all), whether to go back after a blow-up, the
    slope of the activation below 0, and the loss."""

    optimizer: Optimizer
    batch: int | None
    safeguard: bool
    below: float = 0.0
    loss: str = "squares"


class Data(NamedTuple):
    """X (n, d), Xᵀ (d, n), Yᵀ (c, n) and γ, the same for every run.

    patience: epochs without progress before a learning rate is halved; keys (S, 2) uint32 draw the runs' minibatches.
    """

    X: Any
    XT: Any
    YT: Any
    gamma: Any
    patience: Any
    keys: Any


class State(NamedTuple):
    """S runs: weights, moments and best weights as pairs (U, V), and one number a run for the rest."""

    weights: Any
    moments: Any  # (velocity,) or Adam's (first, second)
    best_weights: Any
    best: Any  # objective at best_weights
    loss: Any  # objective at the last weights evaluated
    mark: Any  # objective from which progress is counted
    stale: Any  # epochs since the mark was set
    steps: Any  # steps since the moments were last zero
    rate: Any
    halvings: Any
    epoch: Any
    running: Any
    diverged: Any


def initial_state(U: Array, V: Array, rate: Array, rule: Rule) -> State:
    """The state of S runs before their first step.

    Args:
        U: input weights (S, m, d).
        V: output weights (S, c, m).
        rate: learning rates (S,).
        rule: how the runs descend.

    Returns:
        The state.
    """
    S = len(U)
    zero, infinite = np.zeros(S, dtype=np.int64), np.full(S, np.inf)
    return State(
        weights=(U, V),
        moments=((np.zeros_like(U), np.zeros_like(V)),) * (2 if rule.optimizer == "adam" else 1),
        best_weights=(U, V),
        best=infinite,
        loss=infinite,
        mark=infinite,
        stale=zero,
        steps=zero,
        rate=np.asarray(rate, dtype=np.float64),
        halvings=zero,
        epoch=zero,
        running=np.ones(S, dtype=bool),
        diverged=np.zeros(S, dtype=bool),
    )


Advance = Callable[[Data, State, int], State]


def compile_descent(data: Data, state: State, rule: Rule) -> tuple[Advance, float]:
    """Compile the descent, which stops early when no run is left.

    Args:
        data: what the runs fit.
        state: S runs, for their shapes.
        rule: how the runs descend.

    Returns:
        `advance(data, state, epochs) -> state`, and the seconds that compiling took.
    """
    S, m, d = np.shape(state.weights[0])
    begin = time.perf_counter()
    advance = _compile(S, m, d, *np.shape(data.YT), rule)
    return advance, time.perf_counter() - begin


@lru_cache(maxsize=32)
def _compile(S: int, m: int, d: int, c: int, n: int, rule: Rule) -> Advance:
    import jax
    from jax.experimental import enable_x64

    def advance(data: Data, state: State, epochs: Any) -> State:
        last = state.epoch.max() + epochs
        return jax.lax.while_loop(
            lambda s: s.running.any() & (s.epoch.max() < last), lambda s: _epoch(data, s, rule), state
        )

    data = Data(np.zeros((n, d)), np.zeros((d, n)), np.zeros((c, n)), 0.0, 0, np.zeros((S, 2), dtype=np.uint32))
    state = initial_state(np.zeros((S, m, d)), np.zeros((S, c, m)), np.zeros(S), rule)
    with enable_x64():
        compiled = jax.jit(advance).lower(data, state, 1).compile(_compiler_options(n * m * (d + c)))

    def run(data: Data, state: State, epochs: int) -> State:
        with enable_x64():
            return jax.block_until_ready(compiled(data, state, epochs))

    return run


def _compiler_options(multiplications: int) -> dict[str, bool | str]:
    """XLA's options on a CPU for networks that take so many multiplications forwards.

    By default XLA schedules each operation by itself and may split it over threads, at some microseconds each: more
    than the operations of a small network take.
    """
    import jax

    if jax.default_backend() != "cpu" or multiplications > SMALL:
        return {}
    return {"xla_cpu_use_thunk_runtime": False, "xla_cpu_multi_thread_eigen": False}


def loss_and_gradient(
    data: Data, weights: Any, below: float = 0.0, loss: str = "squares"
) -> tuple[Any, tuple[Any, Any]]:
    """Objectives of S networks and their gradients, in JAX.

    Args:
        data: X, Xᵀ and Yᵀ may carry a leading axis S, and γ be an (S,) array: then each network has its own data.
        weights: U (S, m, d) and V (S, c, m).
        below: the slope of the activation below 0.
        loss: which, as `Problem.loss`.

    Returns:
        Objectives (S,) and gradients in the layout of the weights, as JAX arrays.
    """
    import jax
    import jax.numpy as jnp

    U, V = weights
    A = U @ data.XT
    H = jnp.where(A > 0, A, below * A) if below else jnp.maximum(A, 0.0)
    F = V @ H
    if loss == "logistic":
        R = jax.nn.softmax(F, axis=1) - data.YT
        value = jnp.sum(jax.nn.logsumexp(F, axis=1), axis=1) - jnp.sum(F * data.YT, (1, 2))
    else:
        R = F - data.YT
        value = 0.5 * jnp.sum(R**2, (1, 2))
    dV = jnp.einsum("scn,smn->scm", R, H) + data.gamma * V
    back = jnp.swapaxes(V, 1, 2) @ R
    dU = jnp.where(A > 0, back, below * back if below else 0.0) @ data.X + data.gamma * U
    penalty = jnp.sum(U**2, (1, 2)) + jnp.sum(V**2, (1, 2))
    return value + 0.5 * data.gamma * penalty, (dU, dV)


def _epoch(data: Data, s: State, rule: Rule) -> State:
    """One pass over the data, with the objective before it; then the decisions about rate, best network and end."""
    import jax.numpy as jnp

    loss, gradient = loss_and_gradient(data, s.weights, rule.below, rule.loss)
    finite = jnp.isfinite(loss)
    best_weights, best = _choose(loss < s.best, (s.weights, loss), (s.best_weights, s.best))
    unit = 0.5 * data.YT.size  # what the objective of a scaled problem is measured in
    progress = s.mark - loss > PROGRESS * (loss + PROGRESS * unit)
    stale = jnp.where(progress, 0, s.stale + 1)
    thrown = ~finite | (loss > BLOW_UP * best) if rule.safeguard else jnp.zeros_like(finite)
    lost = ~finite & (not rule.safeguard)
    halve = thrown | (stale >= data.patience)
    halvings = s.halvings + halve
    rate = jnp.where(halve, 0.5 * s.rate, s.rate)

    if rule.batch is None:
        moved = _step(s.weights, s.moments, s.steps, gradient, rate, rule.optimizer)
    else:
        moved = _pass(data, s, rate, rule, rule.batch)
    back = best_weights, _zeros(s.moments), jnp.zeros_like(s.steps)
    weights, moments, steps = _choose(thrown, back, moved)
    new = State(
        weights=weights,
        moments=moments,
        best_weights=best_weights,
        best=best,
        loss=loss,
        mark=jnp.where(progress, loss, s.mark),
        stale=jnp.where(halve, 0, stale),
        steps=steps,
        rate=rate,
        halvings=halvings,
        epoch=s.epoch + 1,
        running=(halvings < HALVINGS) & ~lost,
        diverged=lost,
    )
    return State(*_choose(s.running, tuple(new), tuple(s)))


def _pass(data: Data, s: State, rate: Any, rule: Rule, batch: int) -> tuple[Any, Any, Any]:
    """Every row once, in minibatches drawn for each run by itself; the last minibatch may be smaller."""
    import jax
    import jax.numpy as jnp

    n = data.X.shape[0]
    count = -(-n // batch)
    # Index n is a row of zeros: it fills up the last minibatch and adds nothing to loss or gradient.
    X, Y = (jnp.pad(A, ((0, 1), (0, 0))) for A in (data.X, data.YT.T))
    keys = jax.vmap(jax.random.fold_in)(data.keys, s.epoch)
    order = jax.vmap(lambda key: jax.random.permutation(key, n))(keys)
    order = jnp.pad(order, ((0, 0), (0, count * batch - n)), constant_values=n)

    def body(k: Any, moving: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        rows = jax.lax.dynamic_slice_in_dim(order, k * batch, batch, axis=1)
        share = jnp.minimum(batch, n - k * batch) / n
        part = Data(X[rows], jnp.swapaxes(X[rows], 1, 2), jnp.swapaxes(Y[rows], 1, 2), data.gamma * share, None, None)
        _, gradient = loss_and_gradient(part, moving[0], rule.below, rule.loss)
        return _step(*moving, jax.tree.map(lambda g: g / share, gradient), rate, rule.optimizer)

    return jax.lax.fori_loop(0, count, body, (s.weights, s.moments, s.steps))


def _step(
    weights: Any, moments: Any, steps: Any, gradient: Any, rate: Any, optimizer: Optimizer
) -> tuple[Any, Any, Any]:
    import jax
    import jax.numpy as jnp

    steps = steps + 1
    if optimizer == "momentum":
        (velocity,) = moments
        direction = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradient)
        moments = (direction,)
    else:
        b1, b2, guard = ADAM
        first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, moments[0], gradient)
        second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, moments[1], gradient)
        c1, c2 = ((1 - b ** steps.astype(float))[:, None, None] for b in (b1, b2))
        direction = jax.tree.map(lambda m, v: m / c1 / (jnp.sqrt(v / c2) + guard), first, second)
        moments = first, second
    return jax.tree.map(lambda w, p: w - rate[:, None, None] * p, weights, direction), moments, steps


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    """Where condition (S,) holds the first, elsewhere the second, for single numbers and for weights alike."""
    import jax
    import jax.numpy as jnp

    return jax.tree.map(lambda a, b: jnp.where(condition.reshape((-1,) + (1,) * (a.ndim - 1)), a, b), yes, no)


def _zeros(tree: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return jax.tree.map(jnp.zeros_like, tree)
