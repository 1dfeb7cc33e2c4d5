"""Plausible wrong attempts at the exercises of chapter 01."""

import numpy as np

if "record" not in globals():  # the lesson has its own, and knows no other Tensor
    from minigrad.tensor import Tensor, record


def my_unbroadcast__right_for_a_bias_that_is_added_to_rows(grad, shape):
    """Axis 0 alone was summed, whatever the shape: that is right for a bias added to rows, and for
    nothing else. See “Adding, and what broadcasting does to gradients”."""
    return grad.sum(axis=0)


def my_unbroadcast__stretched_axes_are_forgotten(grad, shape):
    """Only the axes in front were summed; an axis of size 1 that was stretched was used several
    times, too. See “Adding, and what broadcasting does to gradients”."""
    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))


def my_unbroadcast__stretched_axes_disappear(grad, shape):
    """The stretched axes were summed and dropped, where the array that was added had them, with
    size 1. See “Adding, and what broadcasting does to gradients”."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1))


def my_unbroadcast__one_sum_that_drops_the_stretched_axes(grad, shape):
    """All axes were summed in one go and dropped, and those of `shape` were counted from the left;
    a stretched axis stays, with size 1, and lies behind the axes in front. See “Adding, and what
    broadcasting does to gradients”."""
    added = tuple(range(grad.ndim - len(shape)))
    return grad.sum(axis=added + tuple(i for i, size in enumerate(shape) if size == 1))


def my_unbroadcast__axis_after_axis_is_dropped(grad, shape):
    """Each stretched axis was summed and dropped, so the array lost it, and the axes after it moved
    to the left; with keepdims it stays, with size 1. See “Adding, and what broadcasting does to
    gradients”."""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis)
    return grad


def my_unbroadcast__each_sum_moves_the_axes_after_it_and_nothing_keeps(grad, shape):
    """Each sum without keepdims moves the axes after it one place to the left, so the next number
    names another axis. See “Adding, and what broadcasting does to gradients”."""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis)
    return grad.reshape(shape)


def my_unbroadcast__mean_instead_of_the_sum(grad, shape):
    """The mean was taken: but each use of a number moves the result, so the contributions add. See
    “Adding, and what broadcasting does to gradients”."""
    grad = grad.mean(axis=tuple(range(grad.ndim - len(shape))))
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.mean(axis=axis, keepdims=True)
    return grad


def my_unbroadcast__takes_the_first_row_instead_of_summing(grad, shape):
    """One use of each number was taken; the other uses move the result as well, so all are added.
    See “Adding, and what broadcasting does to gradients”."""
    return np.resize(grad, shape)


def my_unbroadcast__compares_the_shapes_from_the_left(grad, shape):
    """The shapes were compared from the left; NumPy adds the missing axes in front, so the last
    axes belong together. See “Adding, and what broadcasting does to gradients”."""
    for axis in reversed(range(grad.ndim)):
        if axis >= len(shape):
            grad = grad.sum(axis=axis)
        elif shape[axis] == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def my_product_rule__forgets_the_gradient_that_arrives(a, b, g):
    """The slopes alone were returned: growth of y counts g times in the end, and factors along a
    path multiply. See “The idea”."""
    return b, a


def my_product_rule__each_with_its_own_factor(a, b, g):
    """Each factor got itself for a slope; but growth of a counts b times. See “The idea”."""
    return g * a, g * b


def my_product_rule__sums_over_the_positions(a, b, g):
    """The positions were added up; each number of a moves its own number of y alone, so nothing is
    summed. See “Exercise 1.2 · The product rule”."""
    return np.sum(g * b), np.sum(g * a)


def my_product_rule__differentiates_a_2(a, b, g):
    """A factor 2 came in, as if both factors were one number squared; here each moves by itself.
    See “Exercise 1.2 · The product rule”."""
    return 2 * g * b, 2 * g * a


def my_order__notes_a_name_when_it_is_first_seen(inputs, root):
    """A name was noted when it was first seen, though another one that uses it may come later. See
    “The way back”."""
    order, stack = {}, [root]
    while stack:
        name = stack.pop()
        if name not in order:
            order[name] = len(order)
            stack.extend(inputs[name])
    return list(order)


def my_order__level_by_level_from_the_root(inputs, root):
    """The names were taken level by level; the distance from the root does not tell whether all
    users came before. See “The way back”."""
    order, level = [], [root]
    while level:
        order += [name for name in level if name not in order]
        level = [used for name in level for used in inputs[name]][:1000]
    return order


def my_order__leaves_first(inputs, root):
    """The leaves stand first: this is the order of computing, and the way back is the other way
    round. See “The way back”."""
    order = []

    def visit(name):
        if name not in order:
            for used in inputs[name]:
                visit(used)
            order.append(name)

    visit(root)
    return order


def my_order__calls_itself_and_does_not_get_deep_enough(inputs, root):
    """The function calls itself, and Python stops that at a depth of about 1,000; keep a stack of
    things to do. See “The way back”."""
    order = []

    def visit(name):
        if name not in order:
            for used in inputs[name]:
                visit(used)
            order.append(name)

    visit(root)
    return order[::-1]


def my_order__name_that_was_put_on_the_stack_twice_is_noted_twice(inputs, root):
    """A name waits on the stack once for each use, and each of them was noted; note it only the
    first time. See “The way back”."""
    noted, stack = [], [root]
    while stack:
        missing = [name for name in inputs[stack[-1]] if name not in noted]
        if missing:
            stack.extend(missing)
        else:
            noted.append(stack.pop())
    return noted[::-1]


def my_order__follows_every_path(inputs, root):
    """Every path was followed, so a name that is used twice comes twice. See “The way back”."""
    order, stack = [], [root]
    while stack:
        name = stack.pop()
        order.append(name)
        stack.extend(inputs[name])
    return order


def my_order__moves_a_name_and_walks_all_below_it_again(inputs, root):
    """A name that turned up again was moved to the end, and all that it depends on was walked once
    more; where names are used twice, this doubles the work at each of them. See “The way back”."""
    order, stack = [], [root]
    while stack:
        name = stack.pop()
        if name in order:
            order.remove(name)
        order.append(name)
        stack += inputs[name]
    return order


def my_order__takes_everything_in_the_dictionary_in_its_order(inputs, root):
    """The dictionary's own order was taken; it says nothing about who uses whom, and holds names
    that the root does not need. See “The way back”."""
    return list(inputs)


def my_matmul_gradients__nothing_transposed(A, B, g):
    """The matrices were multiplied as they stand; look at the shapes, which fit only if one of
    them is transposed. See “Matrix product”."""
    return g @ B, A @ g


def my_matmul_gradients__second_one_is_the_transpose_of_what_is_wanted(A, B, g):
    """The gradient of B came out transposed: it must have the shape of B, not that of its mirror
    image. See “Matrix product”."""
    return g @ B.T, g.T @ A


def my_matmul_gradients__pair_is_swapped(A, B, g):
    """The two gradients stand in the wrong order: the first belongs to A and has its shape. See
    “Exercise 1.4 · The way back through a matrix product”."""
    return A.T @ g, g @ B.T


def my_matmul_gradients__number_by_number_as_for_a_b(A, B, g):
    """The gradient was multiplied number by number, as for a * b; in a matrix product each number
    is used in a whole row or column. See “Matrix product”."""
    return g * B, g * A


def my_matmul_gradients__forgets_the_gradient_that_arrives(A, B, g):
    """The gradient g that arrives does not come in: this is the answer for a g of ones. See
    “Matrix product”."""
    ones = np.ones_like(g)
    return ones @ B.T, A.T @ ones


def my_maximum__value_without_a_past(a, b):
    """A Tensor without a past was returned, so the way back ends there; record keeps the inputs
    and their vjps. See “The memory”."""
    return Tensor(np.maximum(a.data, b.data))


def my_maximum__ties_get_the_gradient_twice(a, b):
    """Where both are equal each got the whole gradient, so it was counted twice; there each gets
    half. See “Exercise 1.5 · An operation of your own”."""
    return record(
        np.maximum(a.data, b.data),
        (a, lambda g: g * (a.data >= b.data)),
        (b, lambda g: g * (b.data >= a.data)),
    )


def my_maximum__tie_goes_to_a(a, b):
    """Where both are equal a got the whole gradient; there each gets half. See “Exercise 1.5 · An
    operation of your own”."""
    return record(
        np.maximum(a.data, b.data),
        (a, lambda g: g * (a.data >= b.data)),
        (b, lambda g: g * (b.data > a.data)),
    )


def my_maximum__tie_goes_to_neither(a, b):
    """Where both are equal the gradient was lost; there each gets half. See “Exercise 1.5 · An
    operation of your own”."""
    return record(
        np.maximum(a.data, b.data),
        (a, lambda g: g * (a.data > b.data)),
        (b, lambda g: g * (b.data > a.data)),
    )


def my_maximum__returns_one_of_the_two(a, b):
    """One of the two tensors was returned as it is: that goes for single numbers alone, and the
    result does not remember the other one; record keeps both. See “The memory”."""
    if a > b:
        return a
    return b


def my_maximum__masks_without_the_gradient_that_arrives(a, b):
    """The vjp returned the mask alone; it has to be multiplied with the gradient that arrives. See
    “Exercise 1.5 · An operation of your own”."""
    share = np.where(a.data == b.data, 0.5, a.data > b.data)
    return record(np.maximum(a.data, b.data), (a, lambda g: share), (b, lambda g: 1 - share))


def my_maximum__gradient_goes_to_both(a, b):
    """Both got the gradient; but the smaller number has no influence on the larger one's value.
    See “Exercise 1.5 · An operation of your own”."""
    return record(np.maximum(a.data, b.data), (a, lambda g: g), (b, lambda g: g))


def my_maximum__smaller_one_gets_it(a, b):
    """The smaller number got the gradient; it is the larger one that stands in the result. See
    “Exercise 1.5 · An operation of your own”."""
    share = np.where(a.data == b.data, 0.5, a.data < b.data)
    return record(
        np.maximum(a.data, b.data), (a, lambda g: g * share), (b, lambda g: g * (1 - share))
    )


def my_gradients_of_program__overwrites_instead_of_adding(program, leaves):
    """A second use overwrote the gradient of the first; where a number is used in several places,
    the contributions add. See “The idea”."""
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = dict.fromkeys(value, 0.0)
    grad[program[-1][0]] = 1.0
    for name, operation, x, y in reversed(program):
        grad[x] = grad[name] * (1 if operation == "+" else value[y])
        grad[y] = grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program__goes_through_the_steps_forwards(program, leaves):
    """The steps were gone through forwards; a gradient is complete only after everything that uses
    the number, so begin at the end. See “The idea”."""
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = dict.fromkeys(value, 0.0)
    grad[program[-1][0]] = 1.0
    for name, operation, x, y in program:
        grad[x] += grad[name] * (1 if operation == "+" else value[y])
        grad[y] += grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program__product_passes_the_gradient_on_like_a_sum(program, leaves):
    """A product passed the gradient on like a sum; there growth of x counts y times. See “The
    idea”."""
    names = [*leaves, *(step[0] for step in program)]
    grad = dict.fromkeys(names, 0.0)
    grad[program[-1][0]] = 1.0
    for name, _, x, y in reversed(program):
        grad[x] += grad[name]
        grad[y] += grad[name]
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program__leaves_out_what_is_not_used(program, leaves):
    """A leaf that nothing uses was left out; it has a gradient, and that is 0. See “Exercise 1.6 ·
    All of it, by yourself”."""
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = {program[-1][0]: 1.0}
    for name, operation, x, y in reversed(program):
        grad[x] = grad.get(x, 0) + grad[name] * (1 if operation == "+" else value[y])
        grad[y] = grad.get(y, 0) + grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves if leaf in grad}


def my_unbroadcast__fills_an_array_of_float64(grad, shape):
    """The sums were collected in an array of NumPy's usual float64, whatever numbers came in. See
    “The Tensor”."""
    out = np.zeros(shape)
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    for index in np.ndindex(grad.shape):
        place = [0 if size == 1 else i for i, size in zip(index, padded)]
        out[tuple(place[grad.ndim - len(shape) :])] += grad[index]
    return out


def my_unbroadcast__adds_the_rows_into_the_first_one(grad, shape):
    """The rows were added into the first row of grad itself; that array belongs to others, too.
    See “Adding, and what broadcasting does to gradients”."""
    added = grad.ndim - len(shape)
    if added:
        for row in grad[1:]:
            grad[0] += row
        return my_unbroadcast__adds_the_rows_into_the_first_one(grad[0], shape)
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def my_unbroadcast__pythons_sum_of_no_rows_is_the_number_0(grad, shape):
    """Python's sum adds up the rows; but of no rows at all it makes the number 0, without a shape.
    See “Adding, and what broadcasting does to gradients”."""
    while grad.ndim > len(shape):
        grad = sum(grad)
        if not hasattr(grad, "ndim"):
            return grad
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def my_unbroadcast__sums_the_axes_whose_size_is_not_in_the_shape(grad, shape):
    """Axes were picked by their sizes; if two axes have the same size, only their places tell
    which one was added. See “Adding, and what broadcasting does to gradients”."""
    while grad.ndim > len(shape):
        sizes = [i for i, size in enumerate(grad.shape) if size not in shape]
        grad = grad.sum(axis=sizes[0] if sizes else -1)
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def my_product_rule__multiplies_in_place(a, b, g):
    """The factors were multiplied in place, so the caller's arrays are not the same any more. See
    “Exercise 1.2 · The product rule”."""
    of_a, of_b = b, a
    of_a *= g
    of_b *= g
    return of_a, of_b


def my_product_rule__divides_the_product_by_the_factor(a, b, g):
    """The other factor was got by dividing the product by this one, which fails where it is 0. See
    “Exercise 1.2 · The product rule”."""
    y = np.multiply(a, b)
    return g * (y / a), g * (y / b)


def my_product_rule__a_list_where_a_pair_is_asked(a, b, g):
    """A list was returned; the task asks for a pair, `(of_a, of_b)`. See “Exercise 1.2 · The
    product rule”."""
    return [g * b, g * a]


def my_order__eats_up_the_dictionary(inputs, root):
    """The lists in `inputs` were emptied on the way; they belong to the caller, who needs them for
    going back. See “Exercise 1.3 · A topological order”."""
    noted, stack = [], [root]
    done = set()
    while stack:
        name = stack[-1]
        if inputs[name]:
            used = inputs[name].pop()
            if used not in done:
                stack.append(used)
        else:
            stack.pop()
            if name not in done:
                done.add(name)
                noted.append(name)
    return noted[::-1]


def my_order__remembers_from_call_to_call(inputs, root, seen=set()):  # noqa: B006
    """A default such as `seen=set()` is made once, when the function is defined, so names of
    earlier graphs count as seen. See “Exercise 1.3 · A topological order”."""
    noted, stack = [], [(root, False)]
    while stack:
        name, is_done = stack.pop()
        if is_done:
            noted.append(name)
        elif name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack.extend((used, False) for used in inputs[name])
    return noted[::-1]


def my_matmul_gradients__first_one_is_the_transpose_of_what_is_wanted(A, B, g):
    """The gradient of A came out transposed: it must have the shape of A, not that of its mirror
    image. See “Matrix product”."""
    return B @ g.T, A.T @ g


def my_matmul_gradients__divides_by_the_other_matrix(A, B, g):
    """The other matrix was inverted, as if to solve for A; a gradient asks by how much Y grows,
    and for that it is multiplied. See “Matrix product”."""
    return g @ np.linalg.pinv(B), np.linalg.pinv(A) @ g


def my_matmul_gradients__averages_over_the_rows(A, B, g):
    """The contributions of the rows were averaged; they add. See “Matrix product”."""
    return g @ B.T, A.T @ g / len(A)


def my_matmul_gradients__fills_arrays_of_float64(A, B, g):
    """The results were filled into arrays of NumPy's usual float64, whatever numbers came in. See
    “The Tensor”."""
    of_A, of_B = np.zeros(A.shape), np.zeros(B.shape)
    of_A[...] = g @ B.T
    of_B[...] = A.T @ g
    return of_A, of_B


def my_maximum__writes_into_the_gradient(a, b):
    """The vjp wrote zeros into the gradient that arrived; the other vjp gets the same array. See
    “Exercise 1.5 · An operation of your own”."""

    def part(mask, ties):
        def vjp(g):
            g *= (mask + 0.5 * ties).astype(g.dtype)
            return g

        return vjp

    ties = a.data == b.data
    return record(
        np.maximum(a.data, b.data),
        (a, part(a.data > b.data, ties)),
        (b, part(b.data > a.data, ties)),
    )


def my_maximum__close_counts_as_equal(a, b):
    """Numbers that are merely close were taken for equal, so the smaller one got half of a
    gradient that is not its own. See “Exercise 1.5 · An operation of your own”."""
    share = np.where(np.isclose(a.data, b.data), 0.5, a.data > b.data)
    return record(
        np.maximum(a.data, b.data), (a, lambda g: g * share), (b, lambda g: g * (1 - share))
    )


def my_maximum__larger_without_its_sign(a, b):
    """The numbers were compared without their signs; of -3 and -2 the larger one is -2. See
    “Exercise 1.5 · An operation of your own”."""
    mine, other = abs(a.data), abs(b.data)
    share = np.where(mine == other, 0.5, mine > other)
    return record(
        np.where(mine >= other, a.data, b.data),
        (a, lambda g: g * share),
        (b, lambda g: g * (1 - share)),
    )


def my_gradients_of_program__computes_in_the_callers_dictionary(program, leaves):
    """The values of the steps were written into the caller's dictionary of leaves. See “Exercise
    1.6 · All of it, by yourself”."""
    names, value = list(leaves), leaves
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = dict.fromkeys(value, 0.0)
    grad[program[-1][0]] = 1.0
    for name, operation, x, y in reversed(program):
        grad[x] += grad[name] * (1 if operation == "+" else value[y])
        grad[y] += grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in names}


def my_gradients_of_program__numeric_derivatives(program, leaves):
    """Each leaf was moved a little and everything computed anew; beside a large number a small
    step is lost, and a million leaves take a million runs. See “The idea”."""

    def last(leaves):
        value = dict(leaves)
        for name, operation, x, y in program:
            value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
        return value[program[-1][0]]

    step, found = 1e-6, {}
    for leaf in leaves:
        above, below = ({**leaves, leaf: leaves[leaf] + d} for d in (step, -step))
        found[leaf] = (last(above) - last(below)) / (2 * step)
    return found


def my_gradients_of_program__every_end_gets_a_1(program, leaves):
    """Every step that nothing uses was started with 1; only the last one is the result. See
    “Exercise 1.6 · All of it, by yourself”."""
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    used = {x for step in program for x in step[2:]}
    grad = {name: float(name not in used and name not in leaves) for name in value}
    for name, operation, x, y in reversed(program):
        grad[x] += grad[name] * (1 if operation == "+" else value[y])
        grad[y] += grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves}
