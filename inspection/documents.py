"""Pages that people send: a PDF, or a picture of the paper. What it is, is told by its bytes and not by its name."""

from dataclasses import dataclass

from inspection import pictures
from inspection.pictures import BYTES_MAX, Fault, NoPicture

PDF = "application/pdf"
_PDF_ENDS_WITHIN = 2_048  # some programs write blanks or a signature behind the end


@dataclass(frozen=True, slots=True)
class Document:
    media_type: str
    small: bytes | None  # of a picture, for lists


def open_document(data: bytes) -> Document:
    """Raises NoPicture. A PDF is neither read nor drawn here: it is kept, and given back as a file to save."""
    if not data.startswith(b"%PDF-"):
        opened = pictures.open_picture(data)
        return Document(opened.media_type, opened.small)
    if len(data) > BYTES_MAX:
        raise NoPicture(Fault.TOO_MANY_BYTES, f"the document has {len(data):,} bytes; {BYTES_MAX:,} at most")
    if b"%%EOF" not in data[-_PDF_ENDS_WITHIN:]:
        raise NoPicture(Fault.TRUNCATED, "the document is cut short: it has no end; send it again")
    return Document(PDF, None)
