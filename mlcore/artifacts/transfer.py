"""The four transfers between local files and a repository, and the record of what went over."""

from mlcore.artifacts.download import download_file, download_tree
from mlcore.artifacts.measured import Transfer
from mlcore.artifacts.upload import upload_file, upload_tree

__all__ = ["Transfer", "download_file", "download_tree", "upload_file", "upload_tree"]
