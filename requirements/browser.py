# ruff: noqa: T201
"""Makes sure that a Chromium is there for the browser tests. Exits with one sentence when none can be had."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def has_playwright_browser() -> bool:
    """Whether Playwright's own Chromium was installed earlier."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def run(*argv: str) -> bool:
    """Whether the command succeeded; its output is the user's to see."""
    print("   browser |", " ".join(argv), flush=True)
    return subprocess.run(argv, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}).returncode == 0


def main() -> None:
    """A browser of the system, else Debian's, else Playwright's own."""
    if any(shutil.which(name) for name in NAMES) or has_playwright_browser():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
        if run("apt-get", "update", "-qq") and run(*install) and shutil.which("chromium"):
            return
    if run(sys.executable, "-m", "playwright", "install", "chromium"):
        return
    sys.exit(
        "The browser tests need Chromium: install it (Debian: apt-get install chromium) and run `make test` again."
    )


if __name__ == "__main__":
    main()
