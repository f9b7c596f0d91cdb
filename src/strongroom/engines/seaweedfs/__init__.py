"""Storage on SeaweedFS: how its processes are run here, and how it is spoken to."""
