"""Certificates and the first proofs: the code that makes them. The second proofs are in checker/.

certificate.py  a proved lower bound with the arrays that prove it
quadratic.py    kind "doubly nonnegative": one quadratic form, the safe bound of every relaxation
nothing.py      the same where the zero network is optimal
tree.py         regions of directions, split by the signs of rows, and their circuits
regions.py      kind "cells": a quadratic form on each region of a tree
"""
