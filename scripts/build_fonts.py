"""Build the bundled fonts: TrueType for measuring and printing, WOFF2 for the browser.

IBM Plex Sans is taken as published (only unpacked from WOFF2 to TrueType, which changes no
outline). Noto Sans SC comes in a hundred pieces; the characters of GB 2312 are collected from
them into one font. Both are under the SIL Open Font License 1.1, whose texts are copied beside
the fonts.

Needs ``npm``, ``fonttools`` and ``brotli``. Run from the project root::

    python scripts/build_fonts.py
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

PACKAGES = ("@ibm/plex-sans@1.1.0", "@fontsource/noto-sans-sc@5.3.0")
PLEX_WEIGHTS = ("Regular", "Medium", "SemiBold")
LIMIT_BYTES = 8_000_000
#: rare characters of GB 2312 that the published web font leaves out
KNOWN_MISSING = 33


def fetch_packages(folder: Path) -> Path:
    """Install the two font packages into ``folder`` and give their ``node_modules``."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm was not found; install Node.js to rebuild the fonts.")
    subprocess.run(
        [npm, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES],
        cwd=folder,
        check=True,
    )
    return folder / "node_modules"


def gb2312_characters() -> list[int]:
    """Give the code points of GB 2312, levels 1 and 2 and its signs, in Unicode order."""
    found = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return sorted(found)


def collect_noto(pieces: Path, version: str) -> TTFont:
    """Collect the glyphs of GB 2312 from the pieces of Noto Sans SC into one font.

    Parameters
    ----------
    pieces
        Folder with ``noto-sans-sc-*-400-normal.woff2``.
    version
        Written into the name table.
    """
    wanted = [*range(0x20, 0x7F), *gb2312_characters()]
    home: dict[int, tuple[TTFont, str]] = {}
    for path in sorted(pieces.glob("noto-sans-sc-*-400-normal.woff2")):
        font = TTFont(path)
        for code, glyph_name in font.getBestCmap().items():
            home.setdefault(code, (font, glyph_name))
    first = next(iter(home.values()))[0]
    outlines = {".notdef": first["glyf"][".notdef"]}
    advances = {".notdef": first["hmtx"][".notdef"]}
    cmap: dict[int, str] = {}
    for code in wanted:
        if code not in home:
            continue
        font, source_name = home[code]
        name = f"uni{code:04X}"
        pen = TTGlyphPen(None)
        # drawing, not copying: composite glyphs refer to names of their own piece
        font.getGlyphSet()[source_name].draw(pen)
        outlines[name] = pen.glyph()
        advances[name] = font["hmtx"][source_name]
        cmap[code] = name
    missing = [code for code in wanted if 0x4E00 <= code <= 0x9FFF and code not in cmap]
    if len(missing) > KNOWN_MISSING:
        raise SystemExit(f"{len(missing)} Chinese characters are in none of the pieces.")
    builder = FontBuilder(first["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(list(outlines))
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(outlines)
    glyf = builder.font["glyf"]
    builder.setupHorizontalMetrics(
        {name: (advance, getattr(glyf[name], "xMin", 0)) for name, (advance, _) in advances.items()}
    )
    builder.setupHorizontalHeader(ascent=first["hhea"].ascent, descent=first["hhea"].descent)
    builder.setupNameTable(
        {
            "copyright": first["name"].getDebugName(0) or "",
            "familyName": "Noto Sans SC",
            "styleName": "Regular",
            "uniqueFontIdentifier": f"NotoSansSC-Regular {version} GB2312",
            "fullName": "Noto Sans SC Regular",
            "version": f"Version {version}",
            "psName": "NotoSansSC-Regular",
            "licenseDescription": "SIL Open Font License, Version 1.1",
            "licenseInfoURL": "https://scripts.sil.org/OFL",
        }
    )
    builder.setupOS2(
        sTypoAscender=first["OS/2"].sTypoAscender,
        sTypoDescender=first["OS/2"].sTypoDescender,
        usWinAscent=first["OS/2"].usWinAscent,
        usWinDescent=first["OS/2"].usWinDescent,
        fsType=0,
    )
    builder.setupPost(keepGlyphNames=False)
    # fixed dates: the same input gives the same file
    builder.font["head"].created = builder.font["head"].modified = first["head"].created
    builder.font.recalcTimestamp = False
    return builder.font


def main(arguments: list[str] | None = None) -> int:
    """Fetch, build and check the size of all fonts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", type=Path, help="a node_modules folder that has both packages")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    options = parser.parse_args(arguments)
    web = options.root / "static" / "fonts"
    measured = options.root / "sts_core" / "figures" / "fonts_data"
    web.mkdir(parents=True, exist_ok=True)
    measured.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        modules = options.modules or fetch_packages(Path(scratch))
        plex = modules / "@ibm" / "plex-sans"
        noto = modules / "@fontsource" / "noto-sans-sc"
        for weight in PLEX_WEIGHTS:
            published = plex / "fonts" / "complete" / "woff2" / f"IBMPlexSans-{weight}.woff2"
            shutil.copyfile(published, web / published.name)
            font = TTFont(published, recalcTimestamp=False)
            font.flavor = None
            font.save(measured / f"IBMPlexSans-{weight}.ttf")
        collected = collect_noto(noto / "files", "5.3.0")
        collected.save(measured / "NotoSansSC-Regular.ttf")
        collected.flavor = "woff2"
        collected.save(web / "NotoSansSC-Regular.woff2")
        for folder in (web, measured):
            shutil.copyfile(plex / "LICENSE.txt", folder / "OFL-IBMPlexSans.txt")
            shutil.copyfile(noto / "LICENSE", folder / "OFL-NotoSansSC.txt")
    total = sum(path.stat().st_size for folder in (web, measured) for path in folder.iterdir())
    sys.stdout.write(f"{total / 1e6:.1f} MB of fonts\n")
    return 0 if total <= LIMIT_BYTES else 1


if __name__ == "__main__":
    raise SystemExit(main())
