"""What can go wrong with an embedded server, told to the person at the terminal.

EmbeddedError              the server cannot run; the message says why and what to do about it
  PortTakenError           another program listens where ours was told to
  DirectoryInUseError      another live process of ours owns this data directory
"""


class EmbeddedError(Exception):
    pass


class PortTakenError(EmbeddedError):
    pass


class DirectoryInUseError(EmbeddedError):
    pass


_CAUSES = (
    ("no space left on device", "the disk is full; free some space and start again"),
    ("check free disk space", "the disk is full; free some space and start again"),
    ("disk quota exceeded", "the disk quota is used up; free some space and start again"),
    ("read-only file system", "the file system is read-only; choose another data directory"),
    ("could not bind", "its port is taken by another program; stop that program or choose another port"),
    ("address already in use", "its port is taken by another program; stop that program or choose another port"),
    ("is too long (maximum", "the path of its data directory is too long; choose a shorter one"),
    ("permission denied", "it may not read or write its files; check who owns the data directory"),
    ("operation not permitted", "check who owns the data directory"),
    ("could not create shared memory segment", "the machine's shared memory is used up; stop other databases"),
    ("cannot allocate memory", "the machine has too little free memory"),
)


def cause(output: str) -> str | None:
    """What a server's own last words mean, for the cases that people meet; None if we do not know them."""
    lowered = output.lower()
    return next((advice for words, advice in _CAUSES if words in lowered), None)


def from_os(error: OSError, doing: str) -> EmbeddedError:
    """An operating system's refusal, as a sentence: which file, why, and what to do if we know."""
    why = error.strerror or str(error)
    where = f" ({error.filename})" if error.filename else ""
    advice = cause(why)
    return EmbeddedError(f"{doing}: {why}{where}" + (f"; {advice}" if advice else ""))
