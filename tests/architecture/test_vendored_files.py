"""Committed browser libraries are what their checksums say, carry their licences, and need no eval."""

import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "static" / "vendor"


def test_every_vendored_file_has_the_checksum_that_was_recorded_when_it_was_built() -> None:
    recorded = dict(reversed(line.split("  ")) for line in (VENDOR / "SHA256SUMS").read_text().splitlines())
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert found == recorded


def test_the_licence_file_names_every_bundled_package_at_its_pinned_version() -> None:
    pinned = json.loads((ROOT / "frontend" / "package.json").read_text())["devDependencies"]
    headings = re.findall(r"^(\S+) (\d[\d.]*)\n=+$", (VENDOR / "LICENSES.txt").read_text(), re.M)
    bundled = {name: version for name, version in headings if name in pinned}
    assert bundled == {name: version for name, version in pinned.items() if name != "esbuild"}


def test_the_lock_file_names_no_host_to_download_from() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []


def test_no_script_of_ours_evaluates_text_or_keeps_data_in_the_browser_store() -> None:
    forbidden = re.compile(r"\beval\(|new Function|localStorage|sessionStorage|indexedDB|\.innerHTML")
    guilty = {
        path.name: forbidden.findall(path.read_text())
        for path in (ROOT / "static" / "js").glob("*.js")
        if forbidden.search(path.read_text())
    }
    assert guilty == {}


def test_no_template_carries_inline_style_or_script() -> None:
    inline = re.compile(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|hx-on|hx-vals=.js:|javascript:")
    guilty = {
        str(path.relative_to(ROOT)): inline.findall(path.read_text())
        for folder in ("templates", "contact_center", "inbox", "patients")
        for path in (ROOT / folder).rglob("*.html")
        if inline.search(path.read_text()) and "simulator" not in path.parts
    }
    assert guilty == {}
