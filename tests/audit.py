"""Ask the database of known vulnerabilities about every pin of a file: `python audit.py constraints.txt`.

Exit code 1 if it knows one; 0 if it knows none, or if it could not be asked, which is said loudly.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

AUDIT = ("-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r")


def main(pins: str) -> int:
    """Audit, print what came out, and return the exit code."""
    done = subprocess.run([sys.executable, *AUDIT, pins], capture_output=True, text=True, timeout=600)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _say("the database could not be asked", (done.stderr.strip().splitlines() or ["no reason given"])[-1:])
    return judge(packages)


def judge(packages: list[dict[str, Any]]) -> int:
    """Print what the database knows about the packages; 1 if it knows a vulnerability."""
    unknown = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    found = [f"{one['name']} {one['version']}: {vuln['id']}" for one in packages for vuln in one.get("vulns", [])]
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(packages) - len(unknown)} of {len(packages)} packages audited, {len(found)} known vulnerabilities")
    if unknown:
        _say(f"{len(unknown)} packages are not in the database that was reached", unknown[:5])
    return 1 if found else 0


def _say(what: str, reasons: list[str]) -> int:
    print("*" * 80, f"NOT AUDITED: {what}.", *reasons, "*" * 80, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
