"""Small real files for the demo: a picture and a letter, drawn by hand so that nothing has to be shipped."""

from __future__ import annotations

import struct
import zlib
from functools import cache


@cache
def picture(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A PNG of a shaded square, e.g. a photo of a card. Colours from 0 to 255."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            is_edge = x < 6 or y < 6 or x >= width - 6 or y >= height - 6
            is_line = 30 < x < width - 60 and y % 28 in (0, 1, 2) and y > 40
            shade = 0.45 if is_edge else 0.7 if is_line else 1.0 - 0.15 * y / height
            rows += bytes(int(part * shade) for part in colour)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def letter(lines: list[str]) -> bytes:
    """A PDF of one page with these lines of Latin-1 text."""
    shown = "".join(f"({line.translate({40: '[', 41: ']', 92: '/'})}) Tj T* " for line in lines)
    stream = f"BT /F1 12 Tf 72 760 Td 18 TL {shown}ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(made) + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
