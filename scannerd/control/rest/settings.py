"""Settings as a form shows them, and changed ones into config.toml."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import ConfigDict, RootModel
from starlette.responses import Response

from scannerd.board.state import Shown
from scannerd.control.rest.gate import API
from scannerd.control.rest.problems import BAD_REQUEST, Refused, documented
from scannerd.control.rest.reply import shown
from scannerd.control.scanner import Scanner
from scannerd.events import ConfigTaken
from scannerd.settings.desk import ConfigRefused
from scannerd.settings.file import ConfigFaults
from scannerd.settings.form import SettingsSection
from scannerd.store.durable import StoreFault, StoreFull


class SettingsShown(Shown):
    """Every section with its keys."""

    sections: tuple[SettingsSection, ...]


class WantedSettings(RootModel[dict[str, dict[str, bool | int | float | str | list[int | float] | None]]]):
    """Section → key → new value; only what is to be changed."""

    model_config = ConfigDict(json_schema_extra={"example": {"scan": {"views": 48}}})


class SettingsTaken(Shown):
    """What is different now. Keys are written `[scan] views`."""

    changed: tuple[str, ...]
    applies: Literal["now", "restart"]
    """`restart`: some of it acts only once the daemon starts again."""
    restart: tuple[str, ...] = ()
    """Which of it."""

    @classmethod
    def of(cls, taken: ConfigTaken) -> "SettingsTaken":
        """Say the same as JSON."""
        return cls(changed=taken.changed, applies="restart" if taken.restart else "now", restart=taken.restart)


_ANSWERS: dict[int | str, dict[str, Any]] = documented(*BAD_REQUEST, 409, 503, 507)


def settings_routes(scanner: Scanner) -> APIRouter:
    """The configuration."""
    router = APIRouter(prefix=API, tags=["settings"])

    @router.get("/settings", operation_id="get_settings", response_model=SettingsShown, responses=documented())
    async def get_settings() -> Response:
        """Every key with its value, default, unit, bounds and help, as the file has it."""
        return shown(SettingsShown(sections=await scanner.settings.sections()))

    @router.put("/settings", operation_id="change_settings", response_model=SettingsTaken, responses=_ANSWERS)
    async def change_settings(wanted: Annotated[WantedSettings, Body()]) -> Response:
        """Change values in the file, comments kept, and put them in force: all or none."""
        try:
            return shown(SettingsTaken.of(await scanner.settings.change(wanted.root)))
        except ConfigFaults as faults:
            raise _faulty(faults) from faults
        except ConfigRefused as refusal:
            raise Refused(409, str(refusal), problems=[str(refusal)]) from refusal
        except StoreFault as fault:
            raise Refused(507 if isinstance(fault, StoreFull) else 503, str(fault)) from fault

    @router.post("/reload", operation_id="reload_settings", response_model=SettingsTaken, responses=_ANSWERS)
    async def reload_settings() -> Response:
        """Read the file again and put it in force; what is faulty leaves the old settings as they are."""
        try:
            return shown(SettingsTaken.of(await scanner.settings.reload_file()))
        except ConfigFaults as faults:
            raise _faulty(faults) from faults
        except ConfigRefused as refusal:
            raise Refused(409, str(refusal), problems=[str(refusal)]) from refusal

    return router


def _faulty(faults: ConfigFaults) -> Refused:
    return Refused(422, str(faults), problems=faults.problems)
