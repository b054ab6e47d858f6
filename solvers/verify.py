"""verify: the second proof of a certificate, as a function of a Problem."""

from __future__ import annotations

from .certificates.certificate import Certificate
from .problem import Problem

TOLERANCE = 1e-6  # relative: a claim that is more than this above what is proved is another claim


def verify(certificate: Certificate, problem: Problem) -> float:
    """The lower bound on p*(∞) that a certificate's arrays prove, by code that shares nothing with what made them.

    Args:
        certificate: from a Fit, a Relaxation, or anywhere else.
        problem: the X, Y and γ that it is to hold for.

    Returns:
        The proved bound, at least what the certificate claims but for rounding.

    Raises:
        CertificateError: the arrays are no certificate for this problem, or prove less than it claims.
        NotChecked: the check would take more work than is allowed.

    Example:
        >>> import relaxbench as rb
        >>> problem = rb.Problem([[1.0], [2.0], [-1.0]], [[1.0], [2.0], [0.0]], gamma=0.1)
        >>> fit = rb.fit(problem, method="sdp", width=10)
        >>> rb.verify(fit.certificate, problem) >= fit.lower_bound
        True
    """
    from . import checker  # slow to import, and TOLERANCE is asked for by those who check nothing

    if not isinstance(certificate, Certificate):
        raise checker.CertificateError(
            f"certificate must be a Certificate. Got {type(certificate).__name__} instead: the method proved no bound."
        )
    proved = checker.verify(certificate, *problem.parts)
    if not certificate.lower_bound <= proved * (1 + TOLERANCE):
        raise checker.CertificateError(
            f"The certificate must prove the bound that it claims, {certificate.lower_bound:.6g}. "
            f"Got a proof of {proved:.6g} instead."
        )
    return proved
