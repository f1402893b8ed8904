"""The first moment of a server child: tie its life to its parent's, give up root, become the server.

Run as a script by `embedded.process`, in a fresh interpreter, because Python forbids safe work between fork and exec in
a program with threads. On Linux the kernel signals the child when the thread that started it ends; elsewhere a server
left behind is recognised and stopped at the next start.
"""

import argparse
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_DAC_OVERRIDE = 1  # what a container's root usually has
_DAC_READ_SEARCH = 2  # enough to walk through directories and read; preferred, but containers tend to lack it
_PARENT_GONE = 3


def main() -> None:
    arguments = _arguments()
    # It has a session of its own and hears nothing of the terminal's end. Under nohup it would be deaf to it for good,
    # and it is what servers read their files again on; a shell cannot even listen for what was ignored before it.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if arguments.uid is not None:
        _become(libc, arguments.uid, arguments.gid, walk=arguments.walk)
    if libc is not None:
        # After the change of user, which would clear it again.
        libc.prctl(_PR_SET_PDEATHSIG, arguments.signal, 0, 0, 0)
    if os.getppid() != arguments.parent:
        sys.exit(_PARENT_GONE)
    os.execv(arguments.command[0], arguments.command)  # noqa: S606 - a shell is not wanted


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, required=True, help="sent to the server when its parent dies")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--walk", action="store_true", help="may pass directories closed to that user")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _become(libc: ctypes.CDLL | None, uid: int, gid: int, *, walk: bool) -> None:
    if walk and libc is not None:
        # Capabilities stay over the change of user. It also makes access(2) heed them, by which initdb looks for the
        # other programs beside it.
        libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if walk and libc is not None:
        _keep_the_right_to_walk(libc)


def _keep_the_right_to_walk(libc: ctypes.CDLL) -> None:
    """A checkout below /root or a 0700 directory is closed to the user we became.

    Opening those directories to everyone would be the larger harm, so the server keeps one capability through exec,
    and only that one.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    for capability in (_DAC_READ_SEARCH, _DAC_OVERRIDE):
        mask = 1 << capability
        effective_permitted_inheritable = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if libc.capset(header, effective_permitted_inheritable) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return


if __name__ == "__main__":
    main()
