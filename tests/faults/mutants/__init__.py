"""Whetstone with one promise taken out, to prove that the matrix would notice.

Each folder is put on a child's PYTHONPATH: Python imports its `sitecustomize` before anything of ours.
"""
