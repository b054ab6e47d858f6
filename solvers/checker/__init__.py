"""The checker: a second proof of every certificate, by code that shares nothing with what makes certificates.

A certificate is Θ and the arrays of a proof that ‖Θᵀ(Xu)₊‖ ≤ η‖u‖ for all u. docs/bounds.md states the format and the
argument of each kind.

verify.py      the door: the bound that a certificate's arrays prove; the table of kinds
regions.py     kinds "doubly nonnegative" and "cells": the tree of regions and what they share
region.py      the quadratic form on one region
arcs.py        kind "arcs": the circle, arc by arc, in exact integers
cover.py       kind "cover": what a tree of simplices over the sphere rests on
cover_walk.py  its replay in doubles, with every rounding error on the safe side
losses.py      from ‖Θᵀ(Xu)₊‖ ≤ η‖u‖ to the bound, for each loss
balls.py       ball arithmetic that the kinds share
definite.py    whether a matrix of balls is positive definite
arrays.py      what arrays must look like before anything is computed with them
"""

from .arrays import CertificateError, NotChecked
from .verify import KINDS, verify

__all__ = ["KINDS", "CertificateError", "NotChecked", "verify"]
