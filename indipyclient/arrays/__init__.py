"""Camera frames as numpy arrays, as thumbnails, and back.

| frames                  | format                                 | needs          | copies              |
|-------------------------|----------------------------------------|----------------|---------------------|
| FITS                    | .fits .fit .fts                        | numpy          | none, one if scaled |
| FITS, compressed images | .fits.fz .fit.fz .fz                   | numpy          | unpacked            |
| pictures                | .stream_jpg .jpg .jpeg .png .tif .tiff | numpy, pillow  | unpacked            |
| pixels only             | .stream .bin, with a shape             | numpy          | none                |

These are plain functions: any thread may call them, several at a time. Nothing in a frame is trusted: one
that is damaged, absurd or of another kind raises InvalidValue, whatever is wrong with it. numpy, astropy
and pillow are the extra "fits" (pip install "indipyclient[fits]"); they are imported when they are needed,
and raise MissingExtra if they are not there.
"""

from __future__ import annotations

from .reading import to_array, to_header
from .shapes import stream_shape
from .thumbnails import to_thumbnail
from .writing import to_fits

__all__ = ["stream_shape", "to_array", "to_fits", "to_header", "to_thumbnail"]
