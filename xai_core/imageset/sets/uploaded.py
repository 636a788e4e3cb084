"""A visitor's own set: a zip, copied once to the data folder, or a folder on the server, which stays where it is."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from xai_core.engine.jobs import Job
from xai_core.errors import InvalidSet
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.file_roles import Files
from xai_core.imageset.reading.folder_files import check_folder, list_folder
from xai_core.imageset.reading.ingest import ingest
from xai_core.imageset.reading.label_texts import clean_label
from xai_core.imageset.reading.zip_files import list_zip
from xai_core.imageset.record import FOLDER, READING_VERSION, ZIP
from xai_core.imageset.sets import disk
from xai_core.imageset.thumbnails import THUMBNAIL_BYTES

ZipSource: TypeAlias = str | os.PathLike[str] | IO[bytes]

_PIECE = 4 * 2**20
_GONE = "The file could not be read to its end. Choose it once more."
_NO_FILE = "There is no file called {name!r} that can be opened. Check its name."


def read_zip(source: ZipSource, name: str = "", job: Job[Any] | None = None) -> ImageSet:
    """Return the pictures of a zip, given by its path or open in binary mode, as a set.

    It is copied, never unpacked; the same zip gives the same set. Raises InvalidSet with what is wrong and what to do;
    Cancelled within a few pictures.
    """
    job = job or Job()
    with open_zip(source) as stream, disk.staging_dir() as folder:
        free = shutil.disk_usage(folder).free
        files = list_zip(stream, folder / disk.ZIP_NAME, free)
        size = _size(stream) + THUMBNAIL_BYTES * len(files.names)
        _check_size(size)
        if size > free:
            raise InvalidSet(disk.FULL)
        signature = _copy(stream, folder / disk.ZIP_NAME, job)
        known = disk.find_by_signature(signature)
        if known is not None:
            return known
        path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", "")
        title = clean_label(Path(str(name or path)).stem) or "Own pictures"
        record = ingest(files, ZIP, folder / "thumbs.u8", title=title, origin="your zip file", job=job)
        return disk.commit_files(folder, record, signature)


def read_folder(path: str | os.PathLike[str], name: str = "", job: Job[Any] | None = None) -> ImageSet:
    """Return the pictures below a folder on the server, which must lie in one that WHYBOX_SETS names, as a set.

    They are read where they are. Raises InvalidSet with what is wrong and what to do; Cancelled within a few pictures.
    """
    files = list_folder(check_folder(path), job)
    title = clean_label(name) or clean_label(files.root.name) or FOLDER
    return read_files(files, FOLDER, files.root, title=title, origin=f"Folder on the server: {title}", job=job)


def read_files(
    files: Files, kind: str, root: Path, *, title: str, origin: str, name: str = "", job: Job[Any] | None = None
) -> ImageSet:
    """Return the listed files of a folder as a set, from disk where they have not changed since they were read."""
    signature = _sign_files(kind, root, files)
    known = disk.find_by_signature(signature)
    if known is not None:
        return known
    _check_size(THUMBNAIL_BYTES * len(files.names))
    with disk.staging_dir() as folder:
        thumbnails = folder / "thumbs.u8"
        record = ingest(files, kind, thumbnails, title=title, origin=origin, name=name, root=str(root), job=job)
        return disk.commit_files(folder, record, signature)


def read_source(source: ZipSource, name: str, job: Job[ImageSet]) -> ImageSet:
    """Return the set of an open zip, or of a zip or folder on the server that may be read."""
    if not isinstance(source, str | os.PathLike):
        return read_zip(source, name, job)
    path = check_folder(source)
    return read_zip(path, name, job) if path.is_file() else read_folder(path, name, job)


def source_key(source: ZipSource) -> str:
    """Name a source by its path, or an upload by its bytes: two visitors may upload the same one. Raises InvalidSet."""
    if isinstance(source, str | os.PathLike):
        return f"path {check_folder(source)}"
    digest = hashlib.sha256()
    with open_zip(source) as stream:
        for piece in _iter_pieces(stream):
            digest.update(piece)
    return f"zip {digest.hexdigest()}"


@contextmanager
def open_zip(source: ZipSource) -> Iterator[IO[bytes]]:
    """Open a path, or rewind an open file. Raises InvalidSet."""
    if isinstance(source, str | os.PathLike):
        try:
            # Closed below: only opening is to be explained.
            stream = Path(source).open("rb")  # noqa: SIM115
        except (OSError, ValueError) as error:
            raise InvalidSet(_NO_FILE.format(name=Path(source).name[:80])) from error
        with stream:
            yield stream
        return
    try:
        source.seek(0)
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidSet(_GONE) from error
    yield source


def _iter_pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield an open file from its start in pieces of 4 MB. Raises InvalidSet."""
    try:
        stream.seek(0)
        while piece := stream.read(_PIECE):
            yield piece
    except (OSError, ValueError) as error:
        raise InvalidSet(_GONE) from error


def _check_size(size: int) -> None:
    """Raise InvalidSet for a set that is larger than all kept sets may be together."""
    limit = disk.max_bytes()
    if size > limit:
        raise InvalidSet(
            f"This set is too large to keep: all sets together may take {limit / 2**30:.1f} GB on this computer. "
            f"Leave pictures out, or save them smaller. Got {size / 2**30:.1f} GB."
        )


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, io.SEEK_END)


def _copy(stream: IO[bytes], copy: Path, job: Job[Any]) -> str:
    """Copy in pieces and return a hash of the bytes."""
    job.expect(job.done + _size(stream) // _PIECE + 1)
    digest = hashlib.sha256(f"{ZIP} {READING_VERSION}".encode())
    with copy.open("wb") as out:
        for piece in _iter_pieces(stream):
            digest.update(piece)
            out.write(piece)
            job.tick(1)
    return digest.hexdigest()


def _sign_files(kind: str, root: Path, files: Files) -> str:
    """Return a hash of where the files lie, their names, sizes and times: what has not changed is not read again."""
    digest = hashlib.sha256(f"{kind} {READING_VERSION} {root}".encode(errors="surrogateescape"))
    digest.update("\n".join(files.names).encode())
    for values in files.index_arrays().values():
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
