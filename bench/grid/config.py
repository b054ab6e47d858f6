"""Configs: where they are, and their TOML as tables."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...errors import unknown
from ..text import UsageError, one_line

MAX_CONFIG_BYTES = 1_000_000
MAX_DOTS = 64  # in a key: they cost their square


def shipped_configs() -> dict[str, Path]:
    """The configs that come with relaxbench, by name."""
    folder = Path(str(files(__package__.rpartition(".")[0]))) / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def config_path(config: str) -> Path:
    """The file of a config.

    Args:
        config: the name of one that ships, or a path.

    Returns:
        The path of the file.

    Raises:
        UsageError: there is none.
    """
    shipped = shipped_configs()
    path = shipped[config] if config in shipped and not Path(config).is_file() else Path(config)
    if not path.is_file():
        raise UsageError(unknown("config (neither a file nor one that ships)", config, shipped))
    return path


def read_tables(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: the file.

    Returns:
        Its tables.

    Raises:
        UsageError: the file is too large, no TOML, or cannot be read.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise UsageError(f"{path} must be a TOML file of at most {MAX_CONFIG_BYTES} bytes. Got more.")
        text = path.read_text(encoding="utf-8")
        if any(key.count(".") > MAX_DOTS for line in text.splitlines() for key in line.partition("=")[0].split(",")):
            raise UsageError(f"{path} must have keys of at most {MAX_DOTS} dots. Got more.")
        return tomllib.loads(text)
    except UsageError:
        raise
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError of its own
        raise UsageError(f"{path} must be a TOML file. Got {one_line(error)} instead.") from None
    except OSError as error:
        raise UsageError(f"{path} must be a file that can be read. Got {error.strerror} instead.") from None
