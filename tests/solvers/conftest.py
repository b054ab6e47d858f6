"""What all tests of the solvers share."""

import pytest
from relaxbench.solvers import sdp


@pytest.fixture(autouse=True)
def a_small_network_beside_each_relaxation(monkeypatch):
    """On these few rows the network that every relaxation comes with takes longer than the relaxation."""
    monkeypatch.setattr(sdp, "SIDE_WIDTH", 12)
