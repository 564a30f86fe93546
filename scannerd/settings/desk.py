"""The settings in force and their file: the one way to other ones, for SIGHUP, REST and the settings page alike."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from scannerd.config import Config
from scannerd.events import ConfigRejected, ConfigTaken, Event
from scannerd.hardware import DEVICES
from scannerd.settings.applies import Applies, Change, changes, in_force
from scannerd.settings.file import ConfigFaults, parse_config, read_config
from scannerd.settings.form import Changes, SettingsSection, changed_text, settings_of
from scannerd.store.durable import write_durably
from scannerd.work.hardware_exchange import ExchangeFailed
from scannerd.work.turns import Turns
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)


class ConfigRefused(RuntimeError):
    """The new settings are sound, and cannot be taken now; the old ones stay as a whole. The message says why."""


def as_written(config: Config) -> Config:
    """Return what a file says as it is."""
    return config


class SettingsDesk:
    """Takes other settings as a whole, or leaves everything as it is."""

    def __init__(
        self,
        config: Config,
        file: Path | None,
        turns: Turns,
        reading: WorkerThread,
        publish: Callable[[Event], None],
        *,
        occupied_by: Callable[[], str | None],
        exchange: Callable[[set[str], Config], Awaitable[None]],
        take: Callable[[Config], None],
        fit: Callable[[Config], Config] = as_written,
    ) -> None:
        """`exchange` builds the devices of sections anew or raises ExchangeFailed; `take` hands out the rest.

        `fit` makes of what the file says what is put in force. It may raise ConfigFaults.
        """
        self.config = config
        """In force."""
        self._file = file
        self._turns = turns
        self._reading = reading
        self._publish = publish
        self._occupied_by = occupied_by
        self._exchange = exchange
        self._take = take
        self._fit = fit
        self._one_at_a_time = asyncio.Lock()

    async def reload(self, new: Config) -> ConfigTaken:
        """Put these settings in force: what can be now, and say what needs a restart. Raises ConfigRefused."""
        try:
            taken = await self._turns.run("Reload", lambda: self._put_in_force(new))
        except ConfigRefused as refusal:
            self._reject((str(refusal),))
            raise
        if taken.changed:
            restart = f"; {', '.join(taken.restart)} from the next start on" if taken.restart else ""
            LOG.info("new settings: %s%s", ", ".join(taken.changed), restart)
        self._publish(taken)
        return taken

    async def reload_file(self) -> ConfigTaken:
        """Read the file again and put it in force. Raises ConfigFaults, ConfigRefused."""
        file = self._require_file()
        try:
            new = self._fit(await self._reading.run(lambda: read_config(file)))
        except ConfigFaults as faults:
            self._reject(faults.problems)
            raise
        async with self._one_at_a_time:
            return await self.reload(new)

    async def change(self, wanted: Changes) -> ConfigTaken:
        """Change values in the file, comments kept, and put it in force: both or neither.

        Raises ConfigFaults, ConfigRefused, StoreFault.
        """
        file = self._require_file()
        async with self._one_at_a_time:
            old_text = await self._reading.run(lambda: _text_of(file))
            text = changed_text(old_text, wanted, file)
            before = self.config
            taken = await self.reload(self._fit(parse_config(text, file)))
            try:
                if text != old_text:
                    await self._reading.run(lambda: write_durably(file, text.encode(), keep_mode=True))
            except Exception:
                await self.reload(before)
                raise
            return taken

    async def sections(self) -> tuple[SettingsSection, ...]:
        """Return what the file says, which is what the next start has; without a usable file what is in force."""
        try:
            file = self._require_file()
            return settings_of(await self._reading.run(lambda: read_config(file)))
        except (ConfigFaults, ConfigRefused):
            return settings_of(self.config)

    async def _put_in_force(self, new: Config) -> ConfigTaken:
        """In the desk's turn."""
        found = changes(self.config, new)
        devices = [change for change in found if change.applies is Applies.IDLE]
        if devices:
            await self._exchange_devices(devices, new)
        self.config = in_force(self.config, new)
        self._take(self.config)
        restart = tuple(change.name for change in found if change.applies is Applies.RESTART)
        return ConfigTaken(tuple(change.name for change in found), restart)

    async def _exchange_devices(self, wanted: list[Change], new: Config) -> None:
        names = ", ".join(change.name for change in wanted)
        busy = self._occupied_by()
        if busy is not None:
            raise ConfigRefused(
                f"{names}: {busy}, and its devices cannot be exchanged meanwhile; change them after its end, or "
                "Cancel it; the old settings stay, all of them"
            )
        try:
            await self._exchange({change.section for change in wanted} & set(DEVICES), new)
        except ExchangeFailed as failed:
            raise ConfigRefused(f"{names}: {failed}; the old settings stay, all of them") from failed

    def _reject(self, problems: tuple[str, ...]) -> None:
        LOG.error("new settings are not taken: %s", "; ".join(problems))
        self._publish(ConfigRejected(problems))

    def _require_file(self) -> Path:
        if self._file is None:
            raise ConfigRefused("the daemon runs on its defaults, without a file; start it with --config FILE")
        return self._file


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFaults(file, [f"cannot be read: {error}"]) from error
