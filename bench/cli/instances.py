"""relaxbench instances: training problems by name, with bounds that anybody can prove again."""

from __future__ import annotations

from . import entries
from .parser import Command

COMMAND = Command(
    "instances",
    "training problems by name, with the best bounds that anybody has proved",
    (
        "relaxbench instances list --class open",
        "relaxbench instances show iris-std-g0.1",
        "relaxbench instances check",
    ),
    commands=entries.COMMANDS,
)
