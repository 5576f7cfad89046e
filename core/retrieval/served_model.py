"""Reading a model that a training wrote into a folder: what is missing or damaged is told alike for each kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError


@contextmanager
def reading_model(what: str, folder: Path, files: str) -> Iterator[None]:
    """Turns whatever goes wrong inside into a UserError.

    Args:
        what: Is read, such as encoder.
        folder: Where it lies.
        files: That it consists of, in words.
    """
    try:
        yield
    # ONNX Runtime raises classes of its own, which have no other parent than Exception.
    except Exception as error:
        raise UserError(
            f"The {what} in {folder} cannot be read: {str(error).splitlines()[0][:200]}",
            f"A folder with {files}, as a training wrote it.",
            "Train again, or use a whole copy of the bundle.",
        ) from None
