"""The errors that users see: what came, what is allowed, what to do."""


class UserError(ValueError):
    """A mistake that the user can mend; shown without a traceback.

    Args:
        what: What came, with the value or the path.
        allowed: What would be right.
        fix: What to do about it.
    """

    def __init__(self, what: str, allowed: str = "", fix: str = "") -> None:
        self.what, self.allowed, self.fix = what, allowed, fix
        super().__init__("\n".join(part for part in (what, allowed, fix) if part))

    def __reduce__(self) -> tuple[type["UserError"], tuple[str, str, str]]:
        """Another process is told the three parts, not the text made of them."""
        return type(self), (self.what, self.allowed, self.fix)


class UsageError(UserError):
    """A command line or a config that cannot be understood; exit code 2."""
