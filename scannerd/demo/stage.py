"""The scene on the bench; built in a process of its own, since mesh libraries and meshes are large."""

import pickle
from dataclasses import replace
from pathlib import Path

from drivers.bench.default_object import default_object
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.mesh_file import load_mesh
from drivers.bench.scene import Scene, SceneObject
from scannerd.demo.faults import faults_named
from scannerd.demo.options import DemoOptions
from scannerd.store.durable import write_durably


def demo_object(options: DemoOptions) -> SceneObject:
    """Return the project's own object or the one in the file, with the gloss that faults give it.

    Raises MeshFileError.
    """
    gloss = max((fault.gloss for fault in faults_named(options.faults)), default=0.0)
    if options.mesh is None:
        return replace(default_object(), gloss=gloss)
    return replace(load_mesh(options.mesh, keep_size=options.keep_size, up_axis=options.up_axis), gloss=gloss)


def demo_scene(options: DemoOptions) -> Scene:
    """Put the object on the mat in front of the camera. Raises MeshFileError."""
    return Scene(demo_object(options), charuco_mat())


def write_demo_scene(options: DemoOptions) -> Path:
    """Write the scene as a pickle for the renderer and the judge; returns its path.

    Raises MeshFileError, StoreFault.
    """
    scene = demo_scene(options)
    path = options.out / "scene.pickle"
    write_durably(path, pickle.dumps(scene, protocol=pickle.HIGHEST_PROTOCOL))
    return path
