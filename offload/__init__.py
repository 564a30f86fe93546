"""From sealed scans to products: the wire, the device's sync, the service, its worker and the engines."""
