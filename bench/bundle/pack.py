"""A run's folder as one zip archive, for a shelf, a paper's appendix, or a colleague.

Beside the files of the run it holds SHA256SUMS, which `sha256sum -c` reads, CITATION.txt, and LEFT_OUT: arrays that
were too large to take along, with their sha256.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets.checks import MAX_BYTES
from ..results.folder import is_results_folder, load_environment, load_plan, load_results
from ..results.record import read_limited, sha256
from ..text import UsageError
from .layout import CITATION, LEFT_OUT, SUMS, admitted, files_of, lines_of
from .unpack import left_out as left_out_before

FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can say: the same bytes whenever it is made
PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True)
class Packed:
    """A bundle that was written. open: cells of the plan that have not ended. left_out: arrays that were too large."""

    path: Path
    cells: int
    open: int
    files: int
    left_out: int


def pack(run: str | Path, out: Path, *, largest: float | None = None) -> Packed:
    """Write the bundle of a run; the same folder gives the same bytes.

    Args:
        run: a run's folder.
        out: the file, `….zip`; replaced if it is there.
        largest: the largest file of arrays (networks and certificates of a cell) to take along, in 10⁶ bytes; None for
            all of them. The rows of cells whose arrays are left out stay, but their bounds cannot be proved again.

    Returns:
        What was packed.

    Raises:
        UsageError: no run, one without results, or a file that cannot be written.
    """
    run = Path(run)
    if not run.is_dir() or not is_results_folder(run):
        raise UsageError(f"RUN must be the folder of a run. Got {run} instead: give --out of a run.")
    if out.suffix != ".zip":
        raise UsageError(f"--out must end in .zip. Got {out} instead.")
    if largest is not None and not largest >= 0:
        raise UsageError(f"--largest must be a size in MB, 0 or more. Got {largest:g} instead.")
    cells = load_results(run)["cell"]
    plan = load_plan(run)["cell"]
    temporary = out.with_name(f".{out.name}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            sums, left_out = _add_files(archive, run, largest)
            own = {CITATION: _citation(load_environment(run), len(cells))}
            own |= {LEFT_OUT: lines_of(left_out)} if left_out else {}
            for name, text in own.items():
                sums[name] = _add(archive, name, text.encode())
            _add(archive, SUMS, lines_of(sums).encode())
        with zipfile.ZipFile(temporary) as archive:
            admitted(archive, temporary)
        temporary.replace(out)
    except OSError as error:
        raise UsageError(f"--out must be a file that can be written to. Got {out} ({error.strerror}).") from None
    finally:
        temporary.unlink(missing_ok=True)
    return Packed(out, len(cells), int((~plan.isin(cells)).sum()), len(sums), len(left_out))


def _add_files(archive: zipfile.ZipFile, run: Path, largest: float | None) -> tuple[dict[str, str], dict[str, str]]:
    """Add the files of the run; returns the sha256 by name of those that went in, and of those left out by now."""
    sums: dict[str, str] = {}
    left_out = {name: digest for name, digest in left_out_before(run).items() if not (run / name).exists()}
    for name in files_of(run):
        content = read_limited(run / name, MAX_BYTES)
        if largest is not None and name.endswith(".npz") and len(content) > largest * 1e6:
            left_out[name] = sha256(content)
        else:
            sums[name] = _add(archive, name, content)
    return sums, left_out


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> str:
    """Add a file; returns its sha256."""
    member = zipfile.ZipInfo(name, FIRST_DAY)
    member.compress_type, member.external_attr, member.create_system = zipfile.ZIP_DEFLATED, PLAIN_FILE, 3
    archive.writestr(member, content)
    return sha256(content)


def _citation(environment: dict[str, Any], cells: int) -> str:
    packages = environment.get("packages")
    version = packages.get("relaxbench") if isinstance(packages, dict) else None
    made = [f"version {version or 'unknown'}", f"commit {environment.get('commit') or 'unknown'}"]
    return (
        f"{cells} results of relaxbench, {', '.join(made)}, run {environment.get('written') or 'at an unknown time'}.\n"
        "Name this version and commit, and cite the paper whose method is benchmarked: K. Prakhya, T. Birdal,\n"
        "A. Yurtsever, Convex Formulations for Training Two-Layer ReLU Neural Networks, ICLR 2025, arXiv 2410.22311.\n"
        "\n"
        "To look at them: relaxbench report FILE.zip. To prove every bound again: relaxbench verify FILE.zip.\n"
    )
