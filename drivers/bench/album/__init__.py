"""Pictures rendered once and shown in real time: the bench whose clock does not stop for the renderer."""
