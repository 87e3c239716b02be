"""Errors of training data."""


class TrainingDataError(RuntimeError):
    """Training data that cannot be had, or do not fit together. The message says which, and what to do."""


class TrainingDataTimeout(TrainingDataError):
    """Training data that have not come in the time, or in the number of attempts, that they were given."""
