"""The threads that move files, apart from those that answer everything else."""

from __future__ import annotations

from collections.abc import Callable

from mlcore_server.config import ServerConfig
from mlcore_server.files.downloads import Downloads
from mlcore_server.files.spots import Spot
from mlcore_server.files.uploads import Uploads

_UPLOADS = 32
_READERS = 8


class Transfers:
    """How this process moves files in and out."""

    def __init__(self, config: ServerConfig) -> None:
        """Start no thread yet."""
        self.uploads: Uploads = Uploads(_UPLOADS, config.state_dir)
        self.downloads: Downloads = Downloads(_READERS)

    async def look_up(self, find: Callable[[], Spot]) -> Spot:
        """Find out in a thread where a file is: the stores are asked, which may block."""
        return await self.downloads.in_thread(find)
