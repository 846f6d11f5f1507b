"""NVIDIA GPUs, as the driver's management library tells them; what a device cannot tell is left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from types import ModuleType

logger: logging.Logger = logging.getLogger(__name__)


class Gpus:
    """The NVIDIA GPUs of this machine."""

    def __init__(self, nvml: ModuleType, handles: Sequence[object]) -> None:
        """Look at *handles*; `open` makes these."""
        self._nvml = nvml
        self._handles = handles

    @classmethod
    def open(cls) -> Gpus | None:
        """Return the GPUs; None without nvidia-ml-py, a driver, or a device."""
        try:
            import pynvml
        except ImportError:
            return None
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            logger.debug("no NVIDIA GPU is watched: %s", error)
            return None
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            logger.debug("no NVIDIA GPU is watched: %s", error)
            handles = []
        gpus = cls(pynvml, handles)
        if not handles:
            gpus.close()
            return None
        return gpus

    def look(self) -> dict[str, float]:
        """Return the present values by name, without a prefix."""
        found: dict[str, float] = {}
        for number, handle in enumerate(self._handles):
            for part in (self._memory, self._utilization, self._power):
                found.update({f"gpu_{number}_{name}": value for name, value in self._told(part, handle).items()})
        return found

    def close(self) -> None:
        """Let go of the library."""
        try:
            self._nvml.nvmlShutdown()
        except self._nvml.NVMLError as error:
            logger.debug("the management library did not shut down: %s", error)

    def _told(self, part: Callable[[object], dict[str, float]], handle: object) -> dict[str, float]:
        try:
            return part(handle)
        except self._nvml.NVMLError as error:  # some devices do not know their power, some their utilization
            logger.debug("an NVIDIA GPU does not tell: %s", error)
            return {}

    def _memory(self, handle: object) -> dict[str, float]:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
        return {
            "memory_usage_percentage": 100.0 * memory.used / memory.total,
            "memory_usage_megabytes": memory.used / 1e6,
        }

    def _utilization(self, handle: object) -> dict[str, float]:
        return {"utilization_percentage": float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)}

    def _power(self, handle: object) -> dict[str, float]:
        used_mw, limit_mw = (
            self._nvml.nvmlDeviceGetPowerUsage(handle),
            self._nvml.nvmlDeviceGetEnforcedPowerLimit(handle),
        )
        return {"power_usage_watts": used_mw / 1000, "power_usage_percentage": 100.0 * used_mw / limit_mw}
