"""The rivals: kernels, gradient descent and other convex formulations."""
