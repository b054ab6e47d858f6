"""The checker: a second proof of every certificate, by code that shares nothing with what makes certificates.

`verify` is the door. A certificate is Θ and the arrays of a proof that ‖Θᵀ(Xu)₊‖ ≤ η‖u‖ for all u; each kind of proof
has one file here: `regions` ("doubly nonnegative" and "cells"), `arcs`, `cover`. `balls` holds the ball arithmetic that
they share, `definite` the proof that a matrix is positive definite, `arrays` what input must look like before anything
is computed with it. docs/bounds.md states the format and the argument of each kind.
"""

from .arrays import CertificateError, NotChecked
from .verify import KINDS, verify

__all__ = ["KINDS", "CertificateError", "NotChecked", "verify"]
