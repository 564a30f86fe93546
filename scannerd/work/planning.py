"""What a scan would be, and whether one that was begun can go on."""

from pydantic import ValidationError

from scannerd.commands import CommandRefused, RawPhotos, StartScan, Wishes
from scannerd.config_camera import AnyCameraSection
from scannerd.scan.background import camera_model
from scannerd.scan.pattern import ImpossiblePattern
from scannerd.scan.plan import ScanPlan, plan_scan, planned_camera, raw_of
from scannerd.store.identity import new_scan_id
from scannerd.store.scans import ScanStore
from scannerd.store.stored_scan import StoredScan
from scannerd.store.trash import Trash
from scannerd.work.workplace import Workplace


class Planning:
    """Plans by the settings in force and the camera that is there."""

    def __init__(self, workplace: Workplace, store: ScanStore, trash: Trash) -> None:
        self._workplace = workplace
        self._store = store
        self._trash = trash

    def new_plan(self, command: StartScan) -> ScanPlan:
        """Return the plan of a scan to begin now. Raises CommandRefused, DriverError."""
        deleted = set(self._trash.scan_ids())
        scan_id = command.scan_id or new_scan_id(self._store.now(), deleted | set(self._store.scan_ids()))
        if scan_id in deleted:
            raise CommandRefused(f"scan {scan_id}: is in the trash; restore it, or choose another name")
        return self.plan(scan_id, command)

    def plan(self, scan_id: str, wishes: Wishes) -> ScanPlan:
        """Return what a scan would be. Raises CommandRefused, DriverError."""
        config, cameras = self._workplace.config, self._workplace.hardware.cameras
        focus = wishes.focus_bracket or config.scan.focus_bracket
        self._require_focus_motors(scan_id, focus)
        lenses = config.lenses()
        others = tuple(
            planned_camera(section, camera_model(camera), lens)
            for section, camera, lens in zip(config.cameras, cameras[1:], lenses[1:], strict=True)
        )
        light = self._light_level(scan_id, wishes), self._light_colour(scan_id, wishes)
        raw_bytes = self._raw_bytes(scan_id, wishes)
        try:
            now = self._store.now()
            first = camera_model(cameras[0])
            return plan_scan(config, first, scan_id, now, wishes, lenses[0], *light, raw_bytes, others)
        except ImpossiblePattern as reason:
            raise CommandRefused(f"StartScan {scan_id!r}: {reason}") from reason
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise CommandRefused(f"StartScan {scan_id!r} with {wishes.views or 'all'} views: {faults}") from error

    def _raw_bytes(self, scan_id: str, wishes: Wishes) -> int:
        """Return what the largest raw file takes; all cameras have them, or none."""
        wanted = raw_of(self._workplace.config, wishes) is not RawPhotos.NEVER
        descriptions = [camera.description for camera in self._workplace.hardware.cameras]
        for description in descriptions:
            if description.raw_bytes is None and wanted:
                raise CommandRefused(
                    f"StartScan {scan_id!r}: {description.model} delivers nothing raw; start without raw files, or "
                    "use a camera on the ribbon cable"
                )
        return max(description.raw_bytes or 0 for description in descriptions)

    def _light_level(self, scan_id: str, wishes: Wishes) -> float | None:
        if self._workplace.hardware.light is None:
            if wishes.light_level is not None:
                raise CommandRefused(f"StartScan {scan_id!r}: this scanner has no light; set [light] driver")
            return None
        return self._workplace.light_level if wishes.light_level is None else wishes.light_level

    def _light_colour(self, scan_id: str, wishes: Wishes) -> str | None:
        light = self._workplace.hardware.light
        if light is None or not light.has_colours:
            if wishes.light_colour is not None:
                raise CommandRefused(
                    f"StartScan {scan_id!r}: light_colour = {wishes.light_colour}: this scanner has no light with "
                    "colours; leave it out"
                )
            return None
        return wishes.light_colour or self._workplace.light_colour

    def require_resumable(self, scan: StoredScan) -> None:
        """Raise CommandRefused unless this scanner can take what is missing, StoreFull unless it fits."""
        plan, sections = scan.plan, self._workplace.config.every_camera
        if scan.sealed:
            raise CommandRefused(f"scan {plan.scan_id}: is complete; there is nothing to resume")
        names = self._workplace.config.camera_names
        if plan.camera_names != names:
            raise CommandRefused(
                f"scan {plan.scan_id}: was begun with cameras {', '.join(plan.camera_names)}; the scanner has "
                f"{', '.join(names)}: set [[cameras]] as they were, then resume"
            )
        for number, section in enumerate(sections):
            _require_same(
                plan.of_camera(number), section, "[[cameras]]" if number else "[camera]", plan.named(number)
            )
        self._store.forecast.require(plan, len(scan.missing()))

    def _require_focus_motors(self, scan_id: str, focus: int) -> None:
        config = self._workplace.config
        for camera, name in zip(self._workplace.hardware.cameras, config.camera_names, strict=True):
            if focus > 1 and camera.settings.focus_dioptres is None:
                which = f"camera {name}'s" if config.cameras else "this camera's"
                raise CommandRefused(
                    f"StartScan {scan_id!r}: focus_bracket = {focus}: {which} lens has no focus motor; use 1"
                )


def _require_same(plan: ScanPlan, camera: AnyCameraSection, section: str, name: str) -> None:
    planned = (plan.photo_width_px, plan.photo_height_px, plan.exposure_us, plan.analogue_gain)
    if planned != (camera.width_px, camera.height_px, camera.exposure_us, camera.analogue_gain):
        raise CommandRefused(
            f"scan {plan.scan_id}: was begun with {planned[0]}x{planned[1]} px, {planned[2]:g} µs, gain "
            f"{planned[3]:g}{name}; the camera is set to {camera.width_px}x{camera.height_px} px, "
            f"{camera.exposure_us} µs, gain {camera.analogue_gain:g}: set {section} as it was, then resume"
        )
