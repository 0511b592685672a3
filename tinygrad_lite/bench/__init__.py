"""Benchmarks behind `tinygrad-lite bench`: ours in turns with those of other packages.

A family (`matmul.py`, `elementwise.py`, ...) is a table of rules and a function `cases`. Everything else is done once
for all of them: a clean environment, timing, the machine's peaks, the table, the record and the picture.
"""
