"""Instances: training problems by name, with the best bounds that anybody has proved and the best networks found.

catalogue.py  Instance, instances, find, load: what each name stands for, and its data, which are checked
catalogue.csv the table of them, written by docs/instances.py
entries/      for each instance the history of its bounds, and the arrays of the best on either side
"""

from .catalogue import ENTRIES, Instance, find, instances, load

__all__ = ["ENTRIES", "Instance", "find", "instances", "load"]
