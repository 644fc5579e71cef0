class ComparisonError(Exception):
    """Something outside failed: one line for the user, who can do something about it."""


class UsageError(ComparisonError):
    """The command line, or what it points to, is wrong."""
