"""The simulated scanner for the doctor to examine."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from drivers.bench.install import install_bench
from drivers.bench.render_process import RenderProcess
from drivers.bench.supply import SimulatedSupply
from scannerd.demo.bench_options import bench_mechanics, bench_wiring
from scannerd.demo.options import DemoOptions
from scannerd.demo.setting import demo_config, demo_lift
from scannerd.demo.stage import write_demo_scene
from scannerd.doctor.patient import Machine, Patient
from scannerd.settings.file import read_leniently

SMALL_PX = (800, 600)
"""Of photos, without settings: enough to see the mat, and soon rendered."""


@contextmanager
def patient_on_bench(file: Path | None) -> Iterator[Patient]:
    """The bench beneath the drivers, with the object and the mat of the demo; its store is thrown away."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="scannerd-doctor-")))
        options = DemoOptions(folder, width_px=SMALL_PX[0], height_px=SMALL_PX[1])
        config, problems = read_leniently(file) if file else (demo_config(options), ())
        scene = write_demo_scene(options)
        renderer = stack.enter_context(RenderProcess(scene))
        renderer.prepare(config.camera.width_px, config.camera.height_px)
        wiring = bench_wiring(config)
        bench = stack.enter_context(
            install_bench(renderer.render_into, 1.0, wiring, bench_mechanics(config), demo_lift(config))
        )
        supply = SimulatedSupply(folder / "sys")
        machine = Machine(dev=folder / "dev", sys=supply.sysfs, simulated=True)
        yield Patient(config, file, problems, machine=machine, clock=bench.clock)
