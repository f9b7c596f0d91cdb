"""Properties are tried with the same values in every run of the same tests, however long the machine takes for one."""

from hypothesis import HealthCheck, settings

settings.register_profile("strongroom", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("strongroom")
