"""What the platform sends for a file: where it can be had for a while, and what the sender says of it."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_serializer

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "download_url": {"type": "string"},
        "file_id": {"type": "string"},
        "mime_type": {"type": "string"},
        "file_name": {"type": "string"},
    },
    "required": ["download_url", "file_id"],
    "additionalProperties": False,
}
"""As ChatGPT's scanner demands it, and nothing beside (Apps SDK reference, "File APIs", seen 2026-08-19)."""

LONGEST_NAME: Final = 200
NAMELESS: Final = "attachment"


class Reference(BaseModel):
    """A file parameter as it arrives. Members nobody knows yet are ignored.

    As JSON it is its id alone: a retry brings the same file under a new link, and is the same wish.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    download_url: Annotated[str, Field(max_length=8192, repr=False)]
    file_id: Annotated[str, Field(max_length=1024)]
    mime_type: str | None = None
    file_name: str | None = None

    @model_serializer
    def _as_its_id(self) -> dict[str, str]:
        return {"file_id": self.file_id}

    @property
    def name(self) -> str:
        """What the file is called: the last part of what was sent, printable, never a path."""
        last = (self.file_name or "").replace("\\", "/").rpartition("/")[2]
        name = "".join(each for each in last if each.isprintable()).strip(" .")
        return name[:LONGEST_NAME] or NAMELESS
