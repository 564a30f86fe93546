"""On the device: carries sealed scans to the service and models back."""
