"""Why an environment is not there."""


class PrepareFailed(Exception):
    """An environment could not be built; `tail` is the end of what the step said, bounded."""

    def __init__(self, name: str, step: str, tail: str) -> None:
        super().__init__(f"environment {name}: {step} failed: {tail}")
        self.name, self.step, self.tail = name, step, tail
