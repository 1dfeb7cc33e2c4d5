"""Run notebooks from top to bottom and store their outputs: python tests/execute.py NOTEBOOK ..."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run the notebook's cells in a fresh kernel in `folder`; the outputs go into the notebook."""
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
    )
    client.widget_registry = {}  # nbclient's imitation of a page may wait for ever for a reply
    client.execute()
    for cell in notebook.cells:
        if "widget" in cell.metadata.get("tags", []):
            cell.outputs = []  # the view of a widget is an error message without its kernel


if __name__ == "__main__":
    for path in (bar := tqdm([Path(name) for name in sys.argv[1:]])):
        bar.set_description(path.stem)
        notebook = nbformat.read(path, 4)
        execute(notebook, path.parent)
        nbformat.write(notebook, path)
