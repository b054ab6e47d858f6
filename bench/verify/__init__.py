"""verify: every bound of a run's folder proved again.

bounds.py       each bound and network of a folder
records.py      whether table, plan and records tell of the same cells
"""
