"""`OFFLOAD_STORAGE_URL`: which storage. Its key comes from the environment or a private file, never from the URL."""

import configparser
import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from offload.depot.folder import DataFolder
from offload.depot.keys import checked_key
from offload.depot.storage import Storage, StorageUnreachable
from offload.depot.storage_folder import FolderStorage
from offload.depot.storage_s3 import Bucket, S3Storage
from offload.private_file import OpenToOthers, read_private

log = logging.getLogger(__name__)

URL_VARIABLE = "OFFLOAD_STORAGE_URL"
CREDENTIALS_FILE_VARIABLE = "OFFLOAD_STORAGE_CREDENTIALS_FILE"
KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
SECRET_VARIABLES = (CREDENTIALS_FILE_VARIABLE, *KEY_VARIABLES)
EXAMPLE = "s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1"
_OPTIONS = ("endpoint", "region", "public_endpoint", "links", "checksums")
_SWITCHES = {"yes": True, "no": False}


class StorageProblem(RuntimeError):
    """The storage cannot be used as it is configured; the message says what to do."""


def open_storage(environment: Mapping[str, str], folder: DataFolder) -> Storage:
    """Return the storage that the environment names, after a look at it.

    One that does not answer yet is only logged. Raises StorageProblem, StorageRefused, FolderUnusable.
    """
    storage = read_storage(environment, folder)
    try:
        storage.check()
    except StorageUnreachable as trouble:
        log.warning("going on without storage until it answers: %s", trouble)
    return storage


def read_storage(environment: Mapping[str, str], folder: DataFolder) -> Storage:
    """Return the storage that the environment names; the data folder itself where it names none.

    Raises StorageProblem.
    """
    url = environment.get(URL_VARIABLE, "").strip()
    if not url:
        return FolderStorage(folder.root)
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return S3Storage(_bucket(url, environment))
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FolderStorage(_mounted(Path(parts.path)))
    raise StorageProblem(
        f"{URL_VARIABLE} begins with {parts.scheme or 'nothing'}:; expected {EXAMPLE} or file:///folder"
    )


def _mounted(folder: Path) -> Path:
    """A folder of another disk is never made: where that is not mounted, everything would go to the wrong one."""
    if not folder.is_dir():
        raise StorageProblem(f"{URL_VARIABLE}: {folder} is no folder; mount its disk, or make it")
    return folder


def _bucket(url: str, environment: Mapping[str, str]) -> Bucket:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise StorageProblem(
            f"{URL_VARIABLE} holds a key before the @, where others can read it; set {KEY_VARIABLES[0]} and "
            f"{KEY_VARIABLES[1]}, or {CREDENTIALS_FILE_VARIABLE}"
        )
    if not parts.netloc:
        raise StorageProblem(f"{URL_VARIABLE} names no bucket; expected {EXAMPLE}")
    options = _options(parts.query)
    prefix = _prefix(parts.path.strip("/"))
    access_key_id, secret_access_key, session_token = _key(environment)
    return Bucket(
        name=parts.netloc,
        region=_region(options, environment),
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        session_token=session_token,
        prefix=prefix,
        endpoint=_http(options, "endpoint"),
        public_endpoint=_http(options, "public_endpoint"),
        links=_switch(options, "links"),
        checksums=_switch(options, "checksums"),
    )


def _prefix(path: str) -> str:
    try:
        return f"{checked_key(path)}/" if path else ""
    except ValueError as problem:
        raise StorageProblem(f"{URL_VARIABLE}: the prefix {problem}") from problem


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise StorageProblem(f"{URL_VARIABLE} has {', '.join(unknown)}; known are {', '.join(_OPTIONS)}")
    return options


def _region(options: Mapping[str, str], environment: Mapping[str, str]) -> str:
    if region := options.get("region") or environment.get("AWS_REGION"):
        return region
    if "endpoint" in options:
        return "us-east-1"
    raise StorageProblem(f"{URL_VARIABLE} names neither region nor endpoint; expected {EXAMPLE}")


def _http(options: Mapping[str, str], name: str) -> str | None:
    url = options.get(name)
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise StorageProblem(f"{URL_VARIABLE}: {name} must be http://host:port or https://host, without any key")
    return url.rstrip("/")


def _switch(options: Mapping[str, str], name: str) -> bool:
    value = options.get(name, "yes")
    if value not in _SWITCHES:
        raise StorageProblem(f"{URL_VARIABLE}: {name} is {value}; use yes or no")
    return _SWITCHES[value]


def _key(environment: Mapping[str, str]) -> tuple[str, str, str | None]:
    if name := environment.get(CREDENTIALS_FILE_VARIABLE):
        values = _from_file(Path(name))
    else:
        values = {variable: environment.get(variable, "") for variable in KEY_VARIABLES}
    missing = [variable for variable in KEY_VARIABLES[:2] if not values.get(variable)]
    if missing:
        where = name or "the environment"
        raise StorageProblem(
            f"{URL_VARIABLE} names an S3, but {' and '.join(missing)} is not in {where}; set them there, or let "
            f"{CREDENTIALS_FILE_VARIABLE} name a file of mode 0600 in the form of ~/.aws/credentials"
        )
    return values[KEY_VARIABLES[0]], values[KEY_VARIABLES[1]], values.get(KEY_VARIABLES[2]) or None


def _from_file(path: Path) -> dict[str, str]:
    try:
        parser = configparser.RawConfigParser()
        parser.read_string(read_private(path), str(path))
        section = parser["default"]
    except OpenToOthers as problem:
        raise StorageProblem(str(problem)) from problem
    except OSError as problem:
        raise StorageProblem(
            f"{path}: {problem.strerror}; {CREDENTIALS_FILE_VARIABLE} must name the key's file"
        ) from problem
    except (configparser.Error, KeyError) as problem:
        raise StorageProblem(
            f"{path} is not in the form of ~/.aws/credentials: expected a line [default], then "
            "aws_access_key_id = … and aws_secret_access_key = …"
        ) from problem
    return {variable: section.get(variable.lower(), "") for variable in KEY_VARIABLES}
