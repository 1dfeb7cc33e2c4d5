"""How stored notebook outputs are compared: exactly, but for what differs between machines."""


def pytest_collectstart(collector):
    """Let nbval skip progress bars on stderr, and pictures, whose bytes depend on the fonts."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr", "image/png")
