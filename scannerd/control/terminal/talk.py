"""`scannerd pair | tell | state | reload`: what a person at the device's own terminal asks the daemon."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from scannerd.config import DEFAULT_PATH, WebSection
from scannerd.control.terminal.client import DaemonSocket, NoDaemon, NotDone
from scannerd.control.terminal.sign import big, qr
from scannerd.settings.file import ConfigFaults, read_config

FAILED = 1
LOOK_S = 0.5

app = typer.Typer()

ConfigOption = Annotated[Path, typer.Option("--config", help="Says where the daemon's socket is.")]
SocketOption = Annotated[
    Path | None, typer.Option("--socket", help="The daemon's socket; [web] socket when left out.")
]


class Word(StrEnum):
    """What can be told to the daemon."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    RESUME_SCAN = "resume_scan"
    CANCEL = "cancel"
    RETAKE = "retake"
    EXTEND = "extend"
    STOP = "stop"
    HOME = "home"
    JOG = "jog"
    LIGHT = "light"
    BACKGROUND = "background"
    DELETE = "delete"
    RESTORE = "restore"
    SEND_FIRST = "send_first"


@app.command()
def pair(config: ConfigOption = DEFAULT_PATH, socket: SocketOption = None) -> None:
    """Show a code that pairs a tablet or program, and wait until somebody has typed it. Exit 1 when nobody did."""
    with _daemon(config, socket) as daemon:
        known = _token_ids(daemon)
        shown = daemon.change("pair/code", {})
        addresses = daemon.read("device")["addresses"]
        typer.echo(f"\n{big(shown['code'])}\n")
        typer.echo(f"Type {shown['code']} on the page within {shown['valid_s']:.0f} seconds.")
        if addresses:
            typer.echo(f"The page: {'  '.join(addresses)}\n{qr(f'{addresses[0]}/#pair=' + shown['code'])}")
        else:
            typer.echo("The page is not to be had on the network now: see scannerd state.")
        name = _wait_for_another(daemon, known, time.monotonic() + shown["valid_s"])
    if name is None:
        _say("nobody paired; the code counts no more")
        raise typer.Exit(FAILED)
    typer.echo(f"paired: {name}")


@app.command()
def tell(
    word: Annotated[Word, typer.Argument(help="What it shall do.")],
    scan: Annotated[str | None, typer.Option(help="Which scan; for start: its name.")] = None,
    views: Annotated[int | None, typer.Option(help="start, extend: photos in one ring.")] = None,
    rings: Annotated[int | None, typer.Option(help="start: turns.")] = None,
    sides: Annotated[int | None, typer.Option(help="start: how often the object is laid down.")] = None,
    repeats: Annotated[int | None, typer.Option(help="start: equal photos from each place.")] = None,
    exposure_bracket: Annotated[int | None, typer.Option(help="start: exposures from each place.")] = None,
    focus_bracket: Annotated[int | None, typer.Option(help="start: focus steps from each place.")] = None,
    ring_views: Annotated[list[int] | None, typer.Option(help="start: photos in one ring; once for each.")] = None,
    ring_elevation_deg: Annotated[
        list[float] | None, typer.Option(help="start: where the camera stands for one ring; once for each.")
    ] = None,
    quality: Annotated[str | None, typer.Option(help="start: draft, standard or fine.")] = None,
    raw: Annotated[str | None, typer.Option(help="start: raw files, too: never, device or bundle.")] = None,
    index: Annotated[int | None, typer.Option(help="retake: which photo.")] = None,
    angles_deg: Annotated[
        list[float] | None, typer.Option("--angle-deg", help="extend: where a photo is wanted; once for each.")
    ] = None,
    ring: Annotated[int | None, typer.Option(help="extend: which ring, from 0.")] = None,
    elevation_deg: Annotated[float | None, typer.Option(help="extend: where the camera stands.")] = None,
    turn_over: Annotated[bool, typer.Option(help="extend: after the object was turned over.")] = False,
    delta_deg: Annotated[float | None, typer.Option("--deg", help="jog: by how much.")] = None,
    level: Annotated[float | None, typer.Option(help="light: 0 to 1; start: for this scan.")] = None,
    colour: Annotated[
        str | None, typer.Option(metavar="#RRGGBB", help="light: of one that has colours; start: for this scan.")
    ] = None,
    config: ConfigOption = DEFAULT_PATH,
    socket: SocketOption = None,
) -> None:
    """Give the running daemon a command. Exit 0 when it was accepted, 1 with the reason when not."""
    details = {
        "scan_id": scan,
        "views": views,
        "rings": rings,
        "sides": sides,
        "repeats": repeats,
        "exposure_bracket": exposure_bracket,
        "focus_bracket": focus_bracket,
        "ring_views": ring_views or None,
        "ring_elevations_deg": ring_elevation_deg or None,
        "quality": quality,
        "raw": raw,
        "index": index,
        "angles_deg": angles_deg or None,
        "ring": ring,
        "elevation_deg": elevation_deg,
        "turn_over": turn_over or None,
        "delta_deg": delta_deg,
        "level" if word is Word.LIGHT else "light_level": level,
        "colour" if word is Word.LIGHT else "light_colour": colour,
    }
    given = {name: value for name, value in details.items() if value is not None}
    with _daemon(config, socket) as daemon:
        answer = daemon.change("commands", {"command": word.value, **given})
    typer.echo(f"{word.value}: accepted{': ' + answer['scan_id'] if answer['scan_id'] else ''}")


@app.command()
def state(
    config: ConfigOption = DEFAULT_PATH,
    socket: SocketOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for programs.")] = False,
) -> None:
    """Say what the running daemon does."""
    with _daemon(config, socket) as daemon:
        now = daemon.read("state")
    typer.echo(json.dumps(now, indent=2) if as_json else "\n".join(_told(now)))


@app.command()
def reload(
    config: ConfigOption = DEFAULT_PATH,
    socket: SocketOption = None,
    or_signal: Annotated[
        int | None,
        typer.Option(metavar="PID", help="Where [web] is off and nobody answers: check the file, then send SIGHUP."),
    ] = None,
) -> None:
    """Let the running daemon read its config.toml again; a faulty one leaves it as it was. Exit 1 then."""
    try:
        with DaemonSocket(socket or _socket_of(config)) as daemon:
            taken = daemon.change("reload", {})
    except NoDaemon as nobody:
        if or_signal is None:
            _give_up(nobody)
        _reload_by_signal(config, or_signal)
        return
    except NotDone as refusal:
        _give_up(refusal)
    typer.echo(f"changed: {', '.join(taken['changed']) or 'nothing'}")
    if taken["restart"]:
        typer.echo(f"from the next start on: {', '.join(taken['restart'])}")


def _reload_by_signal(config: Path, pid: int) -> None:
    """Ask a daemon that answers nobody: its log says whether it took the settings."""
    try:
        read_config(config)
    except ConfigFaults as faults:
        _give_up(faults)
    os.kill(pid, signal.SIGHUP)
    typer.echo("no socket ([web] enabled = false): the file is sound and the daemon was told; its log has the answer")


def _give_up(reason: Exception) -> NoReturn:
    _say(f"scannerd: {reason}")
    raise typer.Exit(FAILED) from reason


@contextmanager
def _daemon(config: Path, socket: Path | None) -> Iterator[DaemonSocket]:
    try:
        with DaemonSocket(socket or _socket_of(config)) as daemon:
            yield daemon
    except (NoDaemon, NotDone) as error:
        _give_up(error)


def _socket_of(config: Path) -> Path:
    """The running daemon does not care that its file is broken by now: then the usual socket is asked."""
    usual = WebSection().socket
    assert usual is not None
    if not config.exists():
        return usual
    try:
        web = read_config(config).web
    except ConfigFaults as faults:
        _say(f"{faults}\nasking the daemon at {usual}")
        return usual
    if web.socket is None:
        raise NoDaemon(f"{config}: [web] socket is empty: this daemon takes no commands from here")
    return web.socket


def _token_ids(daemon: DaemonSocket) -> set[str]:
    return {token["token_id"] for token in daemon.read("tokens")["tokens"]}


def _wait_for_another(daemon: DaemonSocket, known: set[str], until_s: float) -> str | None:
    while time.monotonic() < until_s:
        for token in daemon.read("tokens")["tokens"]:
            if token["token_id"] not in known:
                return str(token["name"])
        time.sleep(LOOK_S)  # bounded by the code's validity
    return None


def _told(now: dict[str, Any]) -> Iterator[str]:
    yield f"{now['device']} {now['version']}: {now['mood']} ({now['phase']})"
    scan = now["scan"]
    if scan is not None:
        left = f", about {scan['remaining_s'] / 60:.1f} min left" if scan["remaining_s"] is not None else ""
        yield f"scan {scan['scan_id']}: {scan['frames_done']} of {scan['frames_planned']} photos{left}"
        if scan["question"]:
            yield f"question: {scan['question']}"
    if now["fault"]:
        yield f"fault: {now['fault']}"
    for name in now["unfinished"]:
        yield f"unfinished: {name}; go on with: scannerd tell resume_scan --scan {name}"
    for upload in now["uploads"]:
        yield f"{upload['scan_id']}: {upload['leg']} {upload['percent']:.0f} %"
    for remark in now["warnings"]:
        yield f"{remark['at'][:19]} {remark['message']}"


def _say(message: str) -> None:
    typer.echo(message, err=True)
