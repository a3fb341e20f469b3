"""Health check of a container: exit code 0 when the address answers below 500. Standard library only."""

import os
import sys
import urllib.error
import urllib.request


def main(url: str) -> int:
    """0 when the server is able to work, 1 when it is not or does not answer within 4 seconds."""
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0] or "127.0.0.1"
    request = urllib.request.Request(url, headers={"Host": host, "X-Forwarded-Proto": "https"})
    try:
        with urllib.request.urlopen(request, timeout=4):
            return 0
    except urllib.error.HTTPError as error:
        return int(error.code >= 500)
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
