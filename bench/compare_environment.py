"""What differs between the machines and versions of two runs, and how fast each was at the same fixed work."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

HARDWARE = ("processor", "cores", "usable_cores", "memory_gb", "system", "threads")


def differences(base: Mapping[str, Any], cand: Mapping[str, Any]) -> list[str]:
    """One line for each thing that differs: hardware, linear algebra, Python, packages, limits, commit."""
    if not base or not cand:
        sides = " and ".join(name for name, side in (("BASE", base), ("CAND", cand)) if not side)
        return [f"unknown for {sides}: no environment.json beside the results"]
    before, after = facts(base), facts(cand)
    return [
        f"{name}: {before.get(name, '-')} → {after.get(name, '-')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def reference_seconds(environment: Mapping[str, Any]) -> float | None:
    """Geometric mean of the seconds of the reference workload of a run; None if it was not measured."""
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
