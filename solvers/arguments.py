"""Arguments of a public function, checked against its annotations, which are the schema of configs too."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pydantic

from ..errors import shown, unknown
from .network import ProblemError

P = ParamSpec("P")
R = TypeVar("R")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which raises ProblemError for a keyword whose value its annotation does not allow."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        schema = _schema(function)
        for name, value in kwargs.items():
            if name in schema:
                _check(name, value, *schema[name])
        return function(*args, **kwargs)

    return call


@cache
def _schema(function: Callable[..., Any]) -> dict[str, tuple[Any, pydantic.TypeAdapter[Any]]]:
    """The annotation of each keyword and what checks it, made at the first call of the function."""
    hints = typing.get_type_hints(function, include_extras=True)
    config = pydantic.ConfigDict(strict=True)
    return {
        name: (hints[name], pydantic.TypeAdapter(hints[name], config=config))
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def _check(name: str, value: Any, hint: Any, adapter: pydantic.TypeAdapter[Any]) -> None:
    try:
        adapter.validate_python(value.item() if isinstance(value, np.generic) else value)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "literal_error":
            raise ProblemError(unknown(name, value, typing.get_args(hint))) from None
        fix = first["msg"].removeprefix("Input should be ")
        raise ProblemError(f"{name} must be {fix}. Got {shown(value)} instead.") from None
