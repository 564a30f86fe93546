"""The embedded engine: a turntable's photos to a metric, textured mesh, on a CPU."""
