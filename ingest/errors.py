"""What makes the worker give up, said so that somebody can do something about it.

WorkerError
|-- SiteTaken       another worker judges the site: stop that one, or give this one other sites
|-- SiteUnknown     the settings name a site that the ledger does not have: bring it in, or correct the name
|-- PortTaken       nothing can listen where the settings say: free the port, or name another
|-- ShardUnknown    which of several workers this is was not said as it must be
`-- WorkerFailing   one of several workers ends again and again: its own last words say why
"""

from ledger.leases import Holder


class WorkerError(Exception):
    """Root of the tree."""


class SiteTaken(WorkerError):
    def __init__(self, site_key: str, holder: Holder | None) -> None:
        who = str(holder) if holder is not None else "another worker"
        super().__init__(
            f"site {site_key} is judged by {who}; a site has one worker at a time: "
            "stop that one, or name other sites in TAIZHANG_SITES"
        )
        self.site_key, self.holder = site_key, holder


class SiteUnknown(WorkerError):
    def __init__(self, site_key: str) -> None:
        super().__init__(
            f"TAIZHANG_SITES names {site_key!r}, which the ledger does not have; bring its estate in first"
        )
        self.site_key = site_key


class PortTaken(WorkerError):
    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; free it, or name another in TAIZHANG_INGEST_HTTP_PORT")


class ShardUnknown(WorkerError):
    def __init__(self, text: str) -> None:
        super().__init__(f"--shard {text!r}: write which of how many workers this is, for example 2/4")


class WorkerFailing(WorkerError):
    def __init__(self, shard: str, code: int, times: int) -> None:
        super().__init__(
            f"worker {shard} ended by itself {times} times in a row, at last with code {code}; all are stopped. "
            "What it said stands above"
        )
