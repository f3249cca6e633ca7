"""Snapshots as HTML, which is how notebooks show them.

Pure functions from a snapshot to a text, which any thread may call. They do no input or output, and the HTML
asks for none: styles and pictures are in it. It suits light and dark pages.

What devices say is not trusted. It is shown as text, without what cannot be seen, and cut where it is long;
no tag or attribute is made of it. However much there is, a page has at most 200 rows and less than 200 kB.
"""

from __future__ import annotations

from .pages import blob_html, client_html, device_html, handle_html, vector_html

__all__ = ["blob_html", "client_html", "device_html", "handle_html", "vector_html"]
