"""Standard suites: a published test set that somebody brings as a file becomes a dataset and an evaluator.

No test set comes with the platform. A suite knows how its file is laid out, how its questions are usually asked, and
how an answer is usually scored.
"""
