"""What differs between the machines and versions of two runs, and how fast each was at the same fixed work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

HARDWARE = ("processor", "cores", "usable_cores", "memory_gb", "system", "threads")


def differences(base: Mapping[str, Any], cand: Mapping[str, Any]) -> list[str]:
    """What differs between the environments of two runs.

    Args:
        base: environment.json of the base, or nothing.
        cand: that of the candidate.

    Returns:
        One line for each thing that differs: hardware, linear algebra, Python, packages, limits, commit.
    """
    if not base or not cand:
        sides = " and ".join(name for name, side in (("BASE", base), ("CAND", cand)) if not side)
        return [f"unknown for {sides}: no environment.json beside the results"]
    before, after = facts(base), facts(cand)
    return [
        f"{name}: {before.get(name, '-')} → {after.get(name, '-')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def mixed(name: str, rows: Iterable[Mapping[str, Any]], environment: Mapping[str, Any]) -> list[str]:
    """What differs between the environments that made the rows of one side.

    Args:
        name: name of the side.
        rows: its rows.
        environment: its environment.json.

    Returns:
        A line for each difference; none where one environment made all rows.
    """
    keys = sorted({str(row["environment_key"]) for row in rows if row.get("environment_key")})
    entries = environment.get("environments")
    known = [entries[key] for key in keys if key in entries] if isinstance(entries, dict) else []
    lines = [f"{name}: its rows were made in {len(keys)} environments: {', '.join(keys)}"] if len(keys) > 1 else []
    return lines + [f"{name}: {line}" for other in known[1:] for line in _versions(known[0], other)]


def _versions(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Differences in what every entry holds: machine, Python, packages and commit."""
    parts = [{name: env.get(name) for name in ("machine", "python", "packages", "commit")} for env in (one, other)]
    changed = (
        []
        if parts[0]["machine"] == parts[1]["machine"]
        else [f"machine: {parts[0]['machine']} → {parts[1]['machine']}"]
    )
    return changed + differences(*parts)


def reference_seconds(environment: Mapping[str, Any]) -> float | None:
    """How long the reference workload of a run took.

    Args:
        environment: environment.json of the run.

    Returns:
        Geometric mean of the seconds; None if it was not measured.
    """
    measured = environment.get("calibration")
    times = list(measured.values()) if isinstance(measured, dict) else []
    if not times or not all(isinstance(time, int | float) and 0 < time < math.inf for time in times):
        return None
    return math.exp(sum(math.log(time) for time in times) / len(times))


def facts(environment: Mapping[str, Any]) -> dict[str, str]:
    """Names and values of what `differences` compares, as text."""
    found = {name: str(environment.get(name, "-")) for name in HARDWARE}
    found["BLAS"] = _blas(environment.get("blas"))
    found["Python"] = str(environment.get("python", "-"))
    for table in ("packages", "limits"):
        inner = environment.get(table)
        found |= {str(name): str(value) for name, value in inner.items()} if isinstance(inner, dict) else {}
    found["commit"] = str(environment.get("commit", "-"))
    return found


def _blas(libraries: Any) -> str:
    if not isinstance(libraries, list):
        return "-"
    names = ("internal_api", "version", "architecture", "threading_layer")
    texts = (" ".join(str(one.get(name)) for name in names) for one in libraries if isinstance(one, dict))
    return ", ".join(dict.fromkeys(texts)) or "-"
