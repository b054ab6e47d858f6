"""Bundles: a run in one file, and runs put together.

layout.py   which files a bundle holds, and how large they may be
pack.py     a run's folder → a zip archive, the same bytes for the same folder
unpack.py   a zip archive, which may be hostile → a folder: `opened` takes either
merge.py    several runs → one folder, nothing of any lost
"""
