"""Which cells of a notebook some of its cells need, so that a test can leave out the others."""

import ast
import functools
import symtable

GROWING = {"append", "extend", "add", "update", "setdefault"}  # methods that change their object


def needed(sources: list[str], wanted: set[int]) -> list[int]:
    """The wanted cells, and those before them that make or change a name that they use, directly
    or through other cells. A call such as model.train() is not seen to change the model."""
    kept, late, before = [], set(), None
    while kept != before:
        before, names, kept = kept, set(late), []
        for i in reversed(range(len(sources))):
            if i in wanted or changed(sources[i]) & names:
                reads, made = reads_and_makes(sources[i])
                kept.insert(0, i)
                names = (names - made) | reads
                late |= called(sources[i])
    return kept


@functools.cache
def reads_and_makes(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell reads before it makes them, and those that it makes."""
    made: set[str] = set()
    return used(ast.parse(source).body, made), made


@functools.cache
def called(source: str) -> set[str]:
    """The names that a cell's functions and classes read when they are called, perhaps later."""
    definitions = (ast.FunctionDef, ast.ClassDef)
    statements = [s for s in ast.parse(source).body if isinstance(s, definitions)]
    return set().union(*map(read, statements))


def used(statements: list[ast.stmt], made: set[str]) -> set[str]:
    """The names that statements read before they make them; `made` gets those that they make."""
    found: set[str] = set()
    for s in statements:
        if isinstance(s, ast.For):
            found |= read(s.iter) - made
            made |= stored(s.target)
            found |= used(s.body, made)
        elif isinstance(s, ast.With):
            for item in s.items:
                found |= read(item.context_expr) - made
                made |= stored(item.optional_vars)
            found |= used(s.body, made)
        elif isinstance(s, (ast.If, ast.While)):
            found |= read(s.test) - made
            found |= used(s.body, set(made)) | used(s.orelse, set(made))
        else:
            found |= read(s) - made
            made |= bound(s)
    return found


def read(node: ast.AST) -> set[str]:
    """The notebook's names that a statement or expression reads, also in its functions."""

    def reads(table: symtable.SymbolTable, top: bool) -> set[str]:
        here = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
        if not top:
            here = {name for name in here if table.lookup(name).is_global()}
        return here.union(*(reads(child, False) for child in table.get_children()))

    return reads(symtable.symtable(ast.unparse(node), "cell", "exec"), True)


def stored(node: ast.AST | None) -> set[str]:
    nodes = ast.walk(node) if node else []
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def bound(statement: ast.stmt) -> set[str]:
    """The names that a simple statement binds, whatever they were before."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = getattr(statement, "targets", None) or [statement.target]
        return set().union(*map(stored, targets))
    return set()


@functools.cache
def changed(source: str) -> set[str]:
    """The notebook's names that a cell binds, or whose objects it changes in plain sight."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    names = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    names |= {s.get_name() for s in symbols if s.is_namespace()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names |= root(node.func) if node.func.attr in GROWING else set()
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            names |= set() if isinstance(node.ctx, ast.Load) else root(node)
    return names


def root(node: ast.AST) -> set[str]:
    """The name that a.b[c].d begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
