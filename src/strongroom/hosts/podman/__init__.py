"""Servers as containers on this machine, made with podman, as root or not: no network, two sockets, one way in."""
