"""The checker: second proofs of every certificate, by code that shares nothing with what makes them."""

from ..verify import CertificateError, verify

__all__ = ["CertificateError", "verify"]
