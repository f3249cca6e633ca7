"""A camera's frame on disk: the FITS file as it came, and a PNG picture of it to look at."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from PIL import Image

__all__ = ["picture", "save_frame"]

_ENLARGED = 2
_CONTRAST = 40.0  # how much more the faint end is raised than the bright end


def save_frame(data: bytes, folder: Path) -> tuple[Path, Path]:
    """Write a FITS frame and its PNG into `folder`; their absolute paths.

    Files are named after the time, and one that is there is never overwritten.
    Raises OSError when the folder cannot be written to, or the bytes are no FITS image.
    """
    with fits.open(io.BytesIO(data)) as hdus:
        image = np.asarray(hdus[0].data, dtype=np.float64)
    fits_path = _write_new(folder.resolve(), datetime.now().strftime("frame-%Y%m%d-%H%M%S"), data)
    png_path = fits_path.with_suffix(".png")
    picture(image).save(png_path)
    return fits_path, png_path


def picture(image: NDArray[np.float64]) -> Image.Image:
    """The frame as a grey picture, twice its size, stretched so that faint and bright are both seen."""
    sky = float(np.median(image))
    noise = 1.4826 * float(np.median(np.abs(image - sky)))  # of the sky alone: the median ignores stars
    black, white = sky - noise, max(float(np.percentile(image, 99.9)), sky + 10 * noise + 1)
    linear = np.clip((image - black) / (white - black), 0, 1)
    grey = np.arcsinh(_CONTRAST * linear) / np.arcsinh(_CONTRAST)
    # the rows of FITS run upwards, those of PNG downwards
    small = Image.fromarray(np.rint(255 * grey[::-1]).astype(np.uint8))
    return small.resize((small.width * _ENLARGED, small.height * _ENLARGED), Image.Resampling.BICUBIC)


def _write_new(folder: Path, stem: str, data: bytes) -> Path:
    number = 0
    while True:
        path = folder / (f"{stem}-{number}.fits" if number else f"{stem}.fits")
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            number += 1
        else:
            return path
