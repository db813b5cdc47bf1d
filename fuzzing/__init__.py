"""Fuzzing of what reads the answers of Amazon: `make fuzz`, and a short form in the
tests.

A target is a way to make inputs, and a check of what comes out of the code. Whatever
goes in, only the kinds of failure that the strict layer promises come out, or a reading
that is true: no amount that is not in the answer, and no more time or space than the
size of the answer allows.
"""
