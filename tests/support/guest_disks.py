"""What the virtual machine finds on its two disks: a Debian with the scanner installed, and this checkout's code."""

import compileall
import shutil
import tempfile
from pathlib import Path

from debian_root import LOCK, PACKAGES, PYTHON, RELEASE, REPOSITORY, checked, debian_root, kept, project_wheel, wheels

NOT_IN_A_SCANNER = (
    "pycolmap", "numba", "llvmlite", "scikit_image", "scipy", "embreex", "imageio", "xatlas", "trimesh",
    "fast_simplification", "dbos", "sqlalchemy", "psycopg", "openexr", "graphql", "jsonschema_rs", "networkx",
    "hatchling", "werkzeug",
)  # fmt: skip
"""Wheels of the service, of the renderer and of tests, two thirds of all bytes."""
INSTALL_LIMIT_S = 900
MEBIBYTE = 1 << 20
SPARE_BYTES = 300 * MEBIBYTE
"""For scans and journals; holes in the file until they come."""
PROGRAM = ("scannerd", "drivers", "offload")
NEEDED = (*PROGRAM, "systemd", "udev", "tests/support", "tests/vm")
NOT_RUN = shutil.ignore_patterns("__pycache__", "page", "node_modules")


def installed_disk() -> Path:
    """Return the image of a root on which scripts/install was run, with the bench's packages; made unless there.

    Units, rules and the program's own modules in it are those of the day when it was made: use the checkout's.
    """
    install = (REPOSITORY / "scripts" / "install").read_text()
    made_from = (RELEASE, *PACKAGES, PYTHON, LOCK.read_text(), install, *NOT_IN_A_SCANNER, str(SPARE_BYTES))
    return kept("installed-debian-12", made_from, _install) / "root.ext4"


def checkout_disk(scratch: Path) -> Path:
    """Return an image of what this checkout has for the machine; modules are compiled, which takes it minutes."""
    content = scratch / "checkout"
    for name in NEEDED:
        shutil.copytree(REPOSITORY / name, content / name, ignore=NOT_RUN)
    assert compileall.compile_dir(content, quiet=1, stripdir=content, prependdir="/srv/project")
    return _image(content, scratch / "checkout.ext4")


def _install(folder: Path) -> None:
    root = folder / "root"
    checked(["cp", "--archive", f"{debian_root()}/.", str(root)], INSTALL_LIMIT_S)
    with tempfile.TemporaryDirectory(dir=folder) as packages:
        for wheel in (*wheels().iterdir(), project_wheel(Path(packages))):
            if wheel.parent != Path(packages) and not wheel.name.startswith(NOT_IN_A_SCANNER):
                shutil.copy(wheel, packages)
        shares = (f"--bind-ro={REPOSITORY}:/srv/project", f"--bind-ro={packages}:/srv/wheels")
        apart = ("--register=no", "--keep-unit", "--private-network", "--console=pipe", "--hostname=scanner")
        script = ("/srv/project/scripts/install", "--wheels", "/srv/wheels", "--with-bench", "--no-start")
        checked(["systemd-nspawn", "--quiet", f"--directory={root}", *apart, *shares, *script], INSTALL_LIMIT_S)
    _image(root, folder / "root.ext4")
    shutil.rmtree(root)


def _image(content: Path, image: Path) -> Path:
    used_bytes = sum(path.lstat().st_size + 4096 for path in content.rglob("*"))
    size_mebibytes = (used_bytes * 5 // 4 + SPARE_BYTES) // MEBIBYTE // 128 * 128
    # No journal, no checksums: the machine's changes are forgotten with it.
    made = [
        "mke2fs",
        "-q",
        "-t",
        "ext4",
        "-O",
        "^has_journal,^metadata_csum",
        "-m",
        "0",
        "-d",
        str(content),
        str(image),
    ]
    checked([*made, f"{size_mebibytes}M"], INSTALL_LIMIT_S)
    return image
