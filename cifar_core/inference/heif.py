"""HEIC, as iPhones keep images: read where whoever runs the lab installed its decoder.

It is in requirements-heif.txt and in no other file: the wheel of pillow-heif is under the GPL (it
brings an encoder), has 27 MB, and its decoder is one more that strangers' files reach. Its library
refuses to decode more pixels than the file declared, so the limits on declared sizes hold.
"""

from __future__ import annotations

import functools


@functools.cache
def is_readable() -> bool:
    """Registers the decoder with Pillow, once, and says whether there is one."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
