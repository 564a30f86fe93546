"""The user that the daemon is, and what that user may open."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """A user with all groups that count."""

    name: str
    uid: int
    groups: frozenset[int]
    """Numbers, the user's own among them."""

    @property
    def is_me(self) -> bool:
        """Whether this very process is that user."""
        return self.uid == os.geteuid()

    def may_use(self, path: Path) -> bool:
        """Whether it may read and write a file, by owner, group and mode. Raises OSError."""
        if self.is_me and not self._has_more_groups:
            return os.access(path, os.R_OK | os.W_OK)
        return self.uid == 0 or self._allowed(path.stat())

    @property
    def _has_more_groups(self) -> bool:
        """Groups that a service or the next login has, and this process has not."""
        return not self.groups <= {*os.getgroups(), os.getegid()}

    def _allowed(self, facts: os.stat_result) -> bool:
        if facts.st_uid == self.uid:
            return facts.st_mode & 0o600 == 0o600
        if facts.st_gid in self.groups:
            return facts.st_mode & 0o060 == 0o060
        return facts.st_mode & 0o006 == 0o006


def account(name: str, more_groups: tuple[str, ...] = ()) -> Account | None:
    """Return a user of this machine with these groups besides its own; None where there is no such user."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    known = {group.gr_name: group.gr_gid for group in grp.getgrall()}
    groups = {*os.getgrouplist(name, user.pw_gid), *(known[more] for more in more_groups if more in known)}
    return Account(name, user.pw_uid, frozenset(groups))


def my_account() -> Account:
    """Return who runs this."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name, uid, frozenset({*os.getgroups(), os.getegid()}))


def owner_and_mode(path: Path) -> str:
    """Return it as `ls -l` does: crw-rw---- root gpio. Raises OSError."""
    facts = path.stat()
    return f"{stat.filemode(facts.st_mode)} {_user_name(facts.st_uid)} {group_name(facts.st_gid)}"


def group_name(number: int) -> str:
    """Return a group's name, or its number where it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
