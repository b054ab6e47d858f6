"""The page of a report: index.html, one file without anything from elsewhere.

page.py         the page
findings.py     what the results say in words, and only what a test shows
templates/, assets/   its parts
"""
