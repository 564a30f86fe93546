"""The door for the page and for programs: HTTP on the shop's network and on a socket of this device."""
