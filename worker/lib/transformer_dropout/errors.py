"""Every error the library raises on purpose.

DropoutError
├── SpecError              a method that the framework does not have, or that is half written   (also a ValueError)
├── ShapeError             tensors whose shapes do not fit together                             (also a ValueError)
├── UnsupportedModelError  a model family, kernel or head that cannot be hooked                 (also a TypeError)
└── InjectionError         an injection that found nothing to hook, or is used out of order     (also a RuntimeError)
"""


class DropoutError(Exception):
    """Root of the tree; `message` is one sentence for a person, with the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SpecError(DropoutError, ValueError):
    """A method that cannot be; `pointer` is the JSON pointer of the offending value, '' for the whole document."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer

    def __str__(self) -> str:
        return f"{self.pointer}: {self.message}" if self.pointer else self.message

    def under(self, prefix: str) -> "SpecError":
        """Return the same error seen from one level further out."""
        return SpecError(self.message, prefix + self.pointer)


class ShapeError(DropoutError, ValueError):
    """Tensors or row lengths that do not fit together."""


class UnsupportedModelError(DropoutError, TypeError):
    """A model that the Hugging Face door refuses by name."""


class InjectionError(DropoutError, RuntimeError):
    """An injection that hooked nothing, or a call made in the wrong order."""
