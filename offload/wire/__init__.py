"""Types that cross the network, and nothing else: device, service and worker all speak these."""
