"""What can be wrong with a credential; each says what to do.

CredentialError
|-- AlreadyThere   it has a credential: ask for another password instead
|-- NotThere       it has none
`-- FilesUnusable  a file cannot be read, written or understood
"""


class CredentialError(Exception):
    """Root of the tree; the message says what, where and what to do."""


class AlreadyThere(CredentialError):
    """The user has a credential already."""


class NotThere(CredentialError):
    """The user has no credential."""


class FilesUnusable(CredentialError):
    """The broker's files cannot be used as they are."""
