"""A visitor's own set: a zip, copied once to the data folder, or a folder on the server, which stays where it is."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from xai_core.engine.jobs import Job
from xai_core.errors import InvalidSet
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.file_roles import Files, Listing
from xai_core.imageset.reading.folder_files import FolderFiles, allowed_folder, list_folder
from xai_core.imageset.reading.ingest import NO_MASK, FileSource, Read, read_listing
from xai_core.imageset.reading.labels import tidy
from xai_core.imageset.reading.zip_files import ZipFiles, is_whole, list_zip
from xai_core.imageset.sets import disk as store
from xai_core.imageset.sets.disk import Manifest
from xai_core.imageset.thumbnails import THUMB

Source = str | os.PathLike[str] | IO[bytes]

ZIP, FOLDER = "zip", "folder"
_PIECE = 4 * 2**20
_GONE = "The file could not be read to its end. Choose it once more."
_NO_FILE = "There is no file called {name!r} that can be opened. Check its name."


def read_zip(source: Source, name: str = "", job: Job[Any] | None = None) -> ImageSet:
    """The pictures of a zip, by its path or open in binary mode. It is copied, never unpacked; the same zip gives the same set.

    Raises InvalidSet with what is wrong and what to do; Cancelled within a few pictures.
    """
    with opened(source) as stream, store.bench() as folder:
        copy = folder / "set.zip"
        free = shutil.disk_usage(folder).free
        listing = list_zip(stream, copy, free)
        size = _size(stream) + THUMB * THUMB * 3 * len(listing.files.names)
        _refuse_too_large(size)
        if size > free:
            raise InvalidSet(store.FULL)
        signature = _copied(stream, copy, job)
        found = recognised(signature)
        if found is not None:
            return found
        read = read_listing(listing, ZIP, folder / "thumbs.u8", job=job)
        title = _title(source, name)
        manifest = _manifest(ZIP, title, read, "Own zip")
        return _settled(folder, read, manifest, signature)


def read_folder(path: str | os.PathLike[str], name: str = "", job: Job[Any] | None = None) -> ImageSet:
    """The pictures below a folder on the server, which must lie in one that WHYBOX_SETS names. They are read where they are.

    Raises InvalidSet with what is wrong and what to do; Cancelled within a few pictures.
    """
    root = allowed_folder(path)
    title = tidy(name) or tidy(root.name) or FOLDER
    listing = list_folder(root, job)
    return read_below(
        root,
        listing,
        Manifest(FOLDER, "", title, (), (), (), (), f"Folder on the server: {title}", root=str(root)),
        job,
    )


def read_below(root: Path, listing: Listing, about: Manifest, job: Job[Any] | None) -> ImageSet:
    """The listed pictures of a folder as a set with the kind, name (else its id), title and origin of `about`."""
    signature = _signature(about.kind, root, listing.files)
    found = recognised(signature)
    if found is not None:
        return found
    _refuse_too_large(THUMB * THUMB * 3 * len(listing.files.names))
    with store.bench() as folder:
        read = read_listing(listing, FOLDER, folder / "thumbs.u8", f"{about.kind} {root}", job)
        manifest = _manifest(about.kind, about.title, read, about.origin, about.name, str(root))
        return _settled(folder, read, manifest, signature)


def reopened(set_id: str, manifest: Manifest) -> ImageSet | None:
    """An own set that was read before, from what is kept of it."""
    opener = _OPENERS.get(manifest.kind)
    files = opener(set_id, manifest) if opener is not None else None
    masks = store.array(set_id, "mask_rows")
    if files is None or masks is None or masks.shape != (len(manifest.names),):
        return None
    return store.restore(set_id, manifest, FileSource(files, masks))


def recognised(signature: str) -> ImageSet | None:
    """The set that was made of the same files before."""
    set_id = store.signed(signature)
    manifest = store.read_manifest(set_id) if set_id is not None else None
    if set_id is None or manifest is None or not store.touch(set_id):
        return None
    return reopened(set_id, manifest)


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """A path or an open file, from its start. Raises InvalidSet."""
    if isinstance(source, str | os.PathLike):
        with _file(source) as stream:
            yield stream
        return
    try:
        source.seek(0)
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidSet(_GONE) from error
    yield source


def _file(path: str | os.PathLike[str]) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except (OSError, ValueError) as error:
        raise InvalidSet(_NO_FILE.format(name=Path(path).name[:80])) from error


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """An open file from its start, in pieces of 4 MB. Raises InvalidSet."""
    try:
        stream.seek(0)
        while piece := stream.read(_PIECE):
            yield piece
    except (OSError, ValueError) as error:
        raise InvalidSet(_GONE) from error


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, io.SEEK_END)


def _refuse_too_large(size: int) -> None:
    if size > store.limit():
        raise InvalidSet(
            f"This set is too large to keep: all sets together may take {store.limit() / 2**30:.1f} GB on this computer. "
            f"Leave pictures out, or save them smaller. Got {size / 2**30:.1f} GB."
        )


def _copied(stream: IO[bytes], copy: Path, job: Job[Any] | None) -> str:
    """Copy in pieces; a hash of the bytes."""
    if job is not None:
        job.expect(job.done + _size(stream) // _PIECE + 1)
    digest = hashlib.sha256(f"{ZIP} {store.VERSION}".encode())
    with copy.open("wb") as out:
        for piece in pieces(stream):
            digest.update(piece)
            out.write(piece)
            if job is not None:
                job.tick(1)
    return digest.hexdigest()


def _signature(kind: str, root: Path, files: Files) -> str:
    """A hash of where the files lie, their names, sizes and times: what has not changed need not be read again."""
    digest = hashlib.sha256(f"{kind} {store.VERSION} {root}".encode(errors="surrogateescape"))
    digest.update("\n".join(files.names).encode())
    for values in files.arrays().values():
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _title(source: Source, name: str) -> str:
    given = name or (source if isinstance(source, str | os.PathLike) else getattr(source, "name", ""))
    return tidy(Path(str(given)).stem) or "Own pictures"


def _manifest(kind: str, title: str, read: Read, origin: str, name: str = "", root: str = "") -> Manifest:
    return Manifest(
        kind=kind,
        name=name or read.digest[:24],
        title=title,
        names=read.names,
        classes=read.classes,
        skipped=read.skipped,
        notes=read.notes,
        origin=origin,
        masks=read.mask_names,
        root=root,
        unread=read.unread,
    )


def _settled(folder: Path, read: Read, manifest: Manifest, signature: str) -> ImageSet:
    set_id = read.digest[:24]
    arrays = {"labels": read.labels, "masked": read.masks != NO_MASK, "mask_rows": read.masks, **read.files.arrays()}
    there = store.read_manifest(set_id)
    if there is None or reopened(set_id, there) is None:
        store.forget(set_id)  # damaged, if it is there at all
        store.make_room(sum(file.stat().st_size for file in folder.iterdir()))
        store.settle(folder, set_id, manifest, arrays)
    elif manifest.kind != ZIP:  # the same pictures, but their files may have been written anew since
        store.renew(set_id, read.files.arrays())
    store.sign(set_id, signature)
    kept = store.read_manifest(set_id)
    found = reopened(set_id, kept) if kept is not None else None
    if found is None:
        raise InvalidSet(store.FULL)
    return found


def _zip_files(set_id: str, manifest: Manifest) -> Files | None:
    path, members = store.shelf() / set_id / "set.zip", store.array(set_id, "members")
    fits = (
        members is not None
        and members.shape == (len(manifest.names) + len(manifest.masks),)
        and is_whole(path, members)
    )
    return ZipFiles(path, (*manifest.names, *manifest.masks), members) if fits and members is not None else None


def _folder_files(set_id: str, manifest: Manifest) -> Files | None:
    names, stats = (*manifest.names, *manifest.masks), store.array(set_id, "stats")
    fits = stats is not None and stats.shape == (len(names), 2)
    return FolderFiles(Path(manifest.root), names, stats) if fits and stats is not None else None


def _open_folder_files(set_id: str, manifest: Manifest) -> Files | None:
    """As long as whoever runs the server still allows the folder."""
    try:
        allowed_folder(manifest.root)
    except InvalidSet:
        return None
    return _folder_files(set_id, manifest)


_OPENERS = {ZIP: _zip_files, FOLDER: _open_folder_files, store.BUILT_IN: _folder_files}
