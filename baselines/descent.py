"""The compiled loop of gradient descent: S networks at once, heavy-ball momentum, learning rate halved on plateau.

Weights are kept as U (S, m, d) and V (S, c, m), neurons before features, because all products of one epoch then run
over the last axis: A = UXᵀ, R = VA₊ − Yᵀ, dV = R A₊ᵀ, dU = (VᵀR ∘ 1[A>0]) X. Each of the S runs has its own learning
rate and stops by itself; a run that has stopped is carried along unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..solvers.problem import Array

MOMENTUM = 0.95
PATIENCE = 100  # epochs without progress before the learning rate is halved
PROGRESS = 1e-5  # relative fall of the objective that counts as progress
HALVINGS = 12  # a run stops when its learning rate has been halved so often
BLOW_UP = 2.0  # a safeguarded run that climbs above this multiple of its best value goes back to its best network


class Data(NamedTuple):
    """X (n, d), Xᵀ (d, n), Yᵀ (c, n) and γ: the same for every run."""

    X: Any
    XT: Any
    YT: Any
    gamma: Any


class State(NamedTuple):
    """S runs: weights and velocities as pairs (U, V), the best weights met, and one number a run for the rest."""

    weights: Any
    velocity: Any
    best_weights: Any
    best: Any  # objective at best_weights
    loss: Any  # objective at the last weights evaluated
    mark: Any  # objective from which progress is counted
    stale: Any  # epochs since the mark was set
    rate: Any
    halvings: Any
    epoch: Any
    running: Any
    diverged: Any


def initial_state(U: Array, V: Array, rate: Array) -> State:
    """State of S runs from U (S, m, d), V (S, c, m) and learning rates (S,)."""
    S = len(U)
    zero, infinite = np.zeros(S, dtype=np.int64), np.full(S, np.inf)
    return State(
        weights=(U, V),
        velocity=(np.zeros_like(U), np.zeros_like(V)),
        best_weights=(U, V),
        best=infinite,
        loss=infinite,
        mark=infinite,
        stale=zero,
        rate=np.asarray(rate, dtype=np.float64),
        halvings=zero,
        epoch=zero,
        running=np.ones(S, dtype=bool),
        diverged=np.zeros(S, dtype=bool),
    )


def compile_descent(data: Data, state: State, safeguard: bool) -> tuple[Callable[[Data, State, int], State], float]:
    """The compiled `advance(data, state, epochs) -> state`, which stops early when no run is left; seconds it took."""
    S, m, d = np.shape(state.weights[0])
    begin = time.perf_counter()
    advance = _compile(S, m, d, *np.shape(data.YT), safeguard)
    return advance, time.perf_counter() - begin


@lru_cache(maxsize=32)
def _compile(S: int, m: int, d: int, c: int, n: int, safeguard: bool) -> Callable[[Data, State, int], State]:
    import jax
    from jax.experimental import enable_x64

    def advance(data: Data, state: State, epochs: Any) -> State:
        last = state.epoch.max() + epochs
        return jax.lax.while_loop(
            lambda s: s.running.any() & (s.epoch.max() < last), lambda s: _epoch(data, s, safeguard), state
        )

    data = Data(np.zeros((n, d)), np.zeros((d, n)), np.zeros((c, n)), 0.0)
    state = initial_state(np.zeros((S, m, d)), np.zeros((S, c, m)), np.zeros(S))
    with enable_x64():
        compiled = jax.jit(advance).lower(data, state, 1).compile()

    def run(data: Data, state: State, epochs: int) -> State:
        with enable_x64():
            return jax.block_until_ready(compiled(data, state, epochs))

    return run


def loss_and_gradient(data: Data, weights: Any) -> tuple[Any, tuple[Any, Any]]:
    """Objectives (S,) of S networks and their gradients, as JAX arrays in the layout of the weights."""
    import jax.numpy as jnp

    U, V = weights
    S, m, d = U.shape
    A = (U.reshape(S * m, d) @ data.XT).reshape(S, m, -1)
    H = jnp.maximum(A, 0.0)
    R = V @ H - data.YT
    dV = jnp.einsum("scn,smn->scm", R, H) + data.gamma * V
    B = jnp.where(A > 0, jnp.swapaxes(V, 1, 2) @ R, 0.0)
    dU = (B.reshape(S * m, -1) @ data.X).reshape(S, m, d) + data.gamma * U
    penalty = jnp.sum(U**2, (1, 2)) + jnp.sum(V**2, (1, 2))
    return 0.5 * jnp.sum(R**2, (1, 2)) + 0.5 * data.gamma * penalty, (dU, dV)


def _epoch(data: Data, s: State, safeguard: bool) -> State:
    import jax
    import jax.numpy as jnp

    def choose(condition: Any, yes: Any, no: Any) -> Any:
        """Per run, for single numbers and for weights alike."""
        return jax.tree.map(lambda a, b: jnp.where(condition.reshape((-1,) + (1,) * (a.ndim - 1)), a, b), yes, no)

    loss, gradient = loss_and_gradient(data, s.weights)
    finite = jnp.isfinite(loss)
    improved = loss < s.best
    best_weights, best = choose(improved, (s.weights, loss), (s.best_weights, s.best))
    unit = 0.5 * data.YT.size  # what the objective of a scaled problem is measured in
    progress = s.mark - loss > PROGRESS * (loss + PROGRESS * unit)
    mark = jnp.where(progress, loss, s.mark)
    stale = jnp.where(progress, 0, s.stale + 1)
    thrown = ~finite | (loss > BLOW_UP * best) if safeguard else jnp.zeros_like(finite)
    halve = thrown | (stale >= PATIENCE)
    rate = jnp.where(halve, 0.5 * s.rate, s.rate)
    halvings = s.halvings + halve

    velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, s.velocity, gradient)
    stepped = jax.tree.map(lambda w, v: w - rate[:, None, None] * v, s.weights, velocity)
    rest = jax.tree.map(jnp.zeros_like, velocity)
    weights, velocity = choose(thrown, (best_weights, rest), (stepped, velocity))
    lost = ~finite & (not safeguard)
    new = State(
        weights=weights,
        velocity=velocity,
        best_weights=best_weights,
        best=best,
        loss=loss,
        mark=mark,
        stale=jnp.where(halve, 0, stale),
        rate=rate,
        halvings=halvings,
        epoch=s.epoch + 1,
        running=(halvings < HALVINGS) & ~lost,
        diverged=lost,
    )
    return State(*choose(s.running, tuple(new), tuple(s)))
