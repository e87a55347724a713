"""What stops a run, said in one sentence together with the way out."""


class Trouble(Exception):
    """One clear sentence about what is wrong, and the fix."""

    def __init__(self, sentence: str, *, fix: str) -> None:
        super().__init__(f"{sentence} {fix}")
        self.sentence = sentence
        self.fix = fix
