"""Data in: named and user data become a Dataset."""
