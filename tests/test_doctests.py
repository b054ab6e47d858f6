"""The examples in the docstrings of public names show what comes out."""

import doctest
import inspect

import pytest

import relaxbench as rb

FINDER = doctest.DocTestFinder(exclude_empty=True)
PUBLIC = [getattr(rb, name) for name in rb.__all__ if not name.startswith("__")]
EXAMPLES = [
    test
    for found in PUBLIC
    for test in FINDER.find(found, found.__name__, module=inspect.getmodule(found), globs={})
    if test.examples
]


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_the_example_shows_what_comes_out(test):
    report = []
    assert doctest.DocTestRunner().run(test, out=report.append).failed == 0, "".join(report)


def test_what_a_user_calls_first_has_an_example():
    assert {"Network", "Problem", "certify", "fit", "load", "methods", "verify"} <= {test.name for test in EXAMPLES}


def test_a_wrong_example_is_noticed():
    (test,) = FINDER.find(rb.Network, "Network", module=inspect.getmodule(rb.Network), globs={})[:1]
    test.examples[-1].want = "array([[4.]])\n"
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None).failed == 1
