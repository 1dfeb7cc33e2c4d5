"""Which cells of a notebook some of its cells need, so that a test can leave out the others."""

import ast
import symtable

GROWING = {"append", "extend", "add", "update", "setdefault"}  # methods that change their object


def needed(sources: list[str], wanted: set[int]) -> list[int]:
    """The wanted cells, and those before them that make or change a name that they use, directly
    or through other cells. A call such as model.train() is not seen to change the model."""
    names, kept = set(), []
    for i in reversed(range(len(sources))):
        if i in wanted or changed(sources[i]) & names:
            kept.insert(0, i)
            names = (names - made_anew(sources[i])) | used(sources[i])
    return kept


def used(source: str) -> set[str]:
    """The notebook's names that a cell reads, also in its functions."""

    def reads(table: symtable.SymbolTable, top: bool) -> set[str]:
        here = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
        if not top:
            here = {name for name in here if table.lookup(name).is_global()}
        return here.union(*(reads(child, False) for child in table.get_children()))

    return reads(symtable.symtable(source, "cell", "exec"), True)


def changed(source: str) -> set[str]:
    """The notebook's names that a cell assigns, or whose objects it changes in plain sight."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    names = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names |= root(node.func) if node.func.attr in GROWING else set()
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            names |= set() if isinstance(node.ctx, ast.Load) else root(node)
    return names | made_anew(source)


def root(node: ast.AST) -> set[str]:
    """The name that a.b[c].d begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def made_anew(source: str) -> set[str]:
    """The names that a cell binds whatever happens: what they were before no longer matters."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            targets = [n for target in node.targets for n in ast.walk(target)]
            names |= {
                n.id
                for n in targets
                if isinstance(getattr(n, "ctx", None), ast.Store) and isinstance(n, ast.Name)
            }
    return names
