"""Attacks on the kinds "cover" and "arcs"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .honest import ARCS, COVER, Case

POWERS = (-1074, -1022, -538, -150, -30, 30, 150, 500, 538, 1000)


def _cases(case: Case) -> list[Case]:
    return [case] if case.certificate.kind == COVER else []


def bases(case: Case) -> Iterator[Case]:
    for it in _cases(case):
        basis, r = it.proof["basis"], len(it.proof["transform"])
        changes = [(f"times {factor}", basis * factor) for factor in (0.0, -0.0, 0.5, 1 - 1e-6, 1 + 1e-6, -1.0, 2.0)]
        changes += [(f"times 2^{power}", basis * 2.0**power) for power in POWERS]
        for k in range(r):
            for what, column in (("0", 0 * basis[:, 0]), ("half", basis[:, k] / 2), ("another", basis[:, k - 1])):
                changed = basis.copy()
                changed[:, k] = column
                changes.append((f"column {k} {what}", changed))
            turned = basis.copy()
            turned[:, k] += 1e-3 * basis[:, k - 1]
            changes.append((f"column {k} turned", turned))
        for what, changed in changes:
            yield it.with_proof(f"{it.name}: basis {what}", basis=changed)
        for k in range(1, r):
            roots = 2**k
            proof = {"basis": basis[:, :k], "transform": np.eye(k), "offsets": np.arange(roots)}
            yield it.with_proof(f"{it.name}: {k} columns", **proof, splits=np.zeros(roots, np.uint8))
        yield it.with_proof(f"{it.name}: no columns", basis=basis[:, :0], transform=np.zeros((0, 0)))


def transforms(case: Case) -> Iterator[Case]:
    for it in _cases(case):
        T = it.proof["transform"]
        r, rng = len(T), np.random.default_rng(0)
        steep = np.diag(10.0 ** np.linspace(0, -16, r))
        changes = [(f"times 2^{power}", np.ldexp(T, power)) for power in POWERS]
        changes += [
            ("zero", 0 * T),
            ("of rank one", np.ones((r, r))),
            ("nearly of rank one", np.ones((r, r)) + 1e-15 * rng.standard_normal((r, r))),
            ("of rank one and a trace", np.ones((r, r)) + 1e-8 * rng.standard_normal((r, r))),
            ("steep", steep),
            ("steeper", steep**4),
            ("steepest", steep**18),
            ("steep and turned", np.linalg.qr(rng.standard_normal((r, r)))[0] @ steep),
            ("of Hilbert", 1 / (np.arange(r)[:, None] + np.arange(r) + 1.0)),
            ("negative", -T),
            ("transposed", T.T),
            ("reversed", T[::-1]),
            ("huge in one place", T + np.diag([1e300, *[0.0] * (r - 1)])),
        ]
        for k in range(r):
            gone = T.copy()
            gone[:, k] = 0
            changes.append((f"without column {k}", gone))
            less = T.copy()
            less[:, k] *= 2.0**-540
            changes.append((f"with column {k} tiny", less))
        for what, changed in changes:
            with np.errstate(all="ignore"):
                yield it.with_proof(f"{it.name}: transform {what}", transform=changed)
                yield _bare(it, f"transform {what}, no splits", changed)


def _bare(it: Case, name: str, transform: np.ndarray) -> Case:
    """A cover without one bisection: each root is a cell."""
    roots = 2 ** len(transform)
    proof = {"transform": transform, "splits": np.zeros(roots, np.uint8), "offsets": np.arange(roots)}
    return it.with_proof(f"{it.name}: {name}", **proof)


def splits(case: Case) -> Iterator[Case]:
    for it in _cases(case):
        own, offsets, rng = it.proof["splits"], it.proof["offsets"], np.random.default_rng(0)
        edges = len(it.proof["transform"]) * (len(it.proof["transform"]) - 1) // 2
        yield _bare(it, "no splits", it.proof["transform"])
        for what, changed in (
            ("all leaves", 0 * own),
            ("all bisections", 0 * own + 1),
            ("reversed", own[::-1].copy()),
            ("shuffled", rng.permutation(own)),
            ("without the last", own[:-1]),
            ("with a leaf more", np.r_[own, np.uint8(0)]),
            ("an edge beyond", np.where(own > 0, np.uint8(edges + 1), own)),
            ("the edge 255", np.where(own > 0, np.uint8(255), own)),
            ("other edges", np.where(own > 0, (own % edges) + 1, own).astype(np.uint8)),
            ("one edge", np.where(own > 0, 1, own).astype(np.uint8)),
            ("the first tree cut", np.r_[np.uint8(0), own[1:]]),
        ):
            yield it.with_proof(f"{it.name}: splits {what}", splits=changed)
        for k in range(len(offsets)):
            end = offsets[k + 1] if k + 1 < len(offsets) else len(own)
            fewer = np.r_[own[: offsets[k]], np.uint8(0), own[end:]]
            moved = np.where(np.arange(len(offsets)) > k, offsets - (end - offsets[k] - 1), offsets)
            yield it.with_proof(f"{it.name}: root {k} a leaf", splits=fewer, offsets=moved)


def roots(case: Case) -> Iterator[Case]:
    for it in _cases(case):
        offsets, length = it.proof["offsets"], len(it.proof["splits"])
        for what, changed in (
            ("all 0", 0 * offsets),
            ("unsorted", offsets[::-1].copy()),
            ("too few", offsets[:-1]),
            ("too many", np.r_[offsets, length]),
            ("negative", offsets - length),
            ("one later", offsets + 1),
            ("one earlier", offsets - 1),
            ("beyond", np.r_[offsets[:-1], length]),
            ("far beyond", np.r_[offsets[:-1], 2**62]),
            ("the first twice", np.r_[offsets[:1], offsets[:-1]]),
            ("halves", offsets // 2),
            ("unsigned", offsets.astype(np.uint64) - np.uint64(1)),
        ):
            with np.errstate(all="ignore"):
                yield it.with_proof(f"{it.name}: offsets {what}", offsets=changed)


def deep_splits(case: Case) -> Iterator[Case]:
    """One way down that is bisected hundreds of times: vertices come so near each other that squares vanish."""
    for it in _cases(case):
        r = len(it.proof["transform"])
        for depth, power in itertools.product((60, 300, 390, 500, 1100), (0, -100, -500)):
            chain = np.r_[np.arange(depth) % (r * (r - 1) // 2) + 1, np.zeros(depth + 1)].astype(np.uint8)
            proof = {"splits": np.tile(chain, 2**r), "offsets": np.arange(2**r) * len(chain)}
            name = f"{it.name}: {depth} bisections on one way, transform times 2^{power}"
            yield it.with_proof(name, **proof, transform=np.ldexp(it.proof["transform"], power))


def rows_off_the_plane(case: Case) -> Iterator[Case]:
    """Kind "arcs" for rows that have a third coordinate: what the plane does not hold has to be paid for."""
    if case.certificate.kind != ARCS or case.X.shape[1] != 2 or case.network is None:
        return
    rng = np.random.default_rng(0)
    for size in (0.0, 1e-300, 1e-150, 1e-12, 1e-6, 0.1, 1.0, 10.0):
        X = np.column_stack([case.X, size * rng.standard_normal(len(case.X))])
        network = replace(case.network, U=np.vstack([case.network.U, np.zeros((1, case.network.width))]))
        yield replace(case, network=network).with_data(f"{case.name}: {size} off the plane", X, case.Y, case.gamma)


def rows_on_the_edges(case: Case) -> Iterator[Case]:
    """Kind "arcs" with each row also against itself, twice, and turned by a rounding unit."""
    if case.certificate.kind != ARCS or case.network is None:
        return
    for what, twin in (
        ("itself", case.X),
        ("its opposite", -case.X),
        ("a neighbour", np.nextafter(case.X, np.inf)),
        ("its opposite's neighbour", -np.nextafter(case.X, 0)),
        ("a trace of it", case.X * 2.0**-1060),
    ):
        theta = case.certificate.theta
        zero = np.zeros_like(case.Y)
        data = case.with_data(
            f"{case.name}: and {what}", np.vstack([case.X, twin]), np.vstack([case.Y, zero]), case.gamma
        )
        for size in (0.0, 1.0, -1.0, 1e-8, 1e100):
            longer = np.vstack([theta, size * theta])
            yield data.with_certificate(f"{data.name}, Θ {size}", theta=longer)


ATTACKS = [bases, transforms, splits, roots, deep_splits, rows_off_the_plane, rows_on_the_edges]
