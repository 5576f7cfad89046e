"""Masks as shapes: connected components, outlines, boxes, in numpy alone.

scipy, scikit-image and OpenCV have these; serving must not load them for four small functions, so they are
references in tests at most.

Legend: H rows, W columns, E border steps, V points of an outline. Pixel (row, column) covers [column, column + 1] x
[row, row + 1]; neighbours share an edge, not only a corner.
"""

import heapq

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
Outline = tuple[tuple[float, float], ...]
"""(x, y) in fractions of width and height; the last point joins the first and is not repeated."""

MAX_POINTS = 64
TOLERANCE_PX = 0.7
STEP_ROW, STEP_COLUMN = np.array([0, 1, 0, -1]), np.array([1, 0, -1, 0])
"""Right, down, left, up: the clockwise order."""


def mask_outlines(
    mask_HW: BoolArray, max_points: int = MAX_POINTS, tolerance_px: float = TOLERANCE_PX
) -> tuple[Outline, ...]:
    """Closed outlines of everything in the mask, longest first, points in order along the border.

    Outer borders run clockwise on the screen, borders of holes counter-clockwise: filling all of them by the
    even-odd rule gives the mask again. Points lie half-way between neighbouring pixels inside and outside (marching
    squares at one half; Lorensen and Cline 1987), then are thinned (Douglas and Peucker 1973).

    Args:
        mask_HW: What is outside the picture counts as outside the mask.
        max_points: Largest number of points of one outline.
        tolerance_px: How far a thinned outline may leave the points it drops; less for shapes with fewer than 64
            points, which would vanish.
    """
    height, width = mask_HW.shape
    outlines = sorted(_border_points(np.asarray(mask_HW, np.bool_)), key=len, reverse=True)
    scale = np.array([width, height], np.float64)
    allowed = [tolerance_px * min(1.0, len(points_V2) / MAX_POINTS) for points_V2 in outlines]
    thinned = (thin_outline(*outline, max_points) / scale for outline in zip(outlines, allowed, strict=True))
    return tuple(tuple((float(x), float(y)) for x, y in points_V2) for points_V2 in thinned)


def label_components(mask_HW: BoolArray) -> npt.NDArray[np.int64]:
    """Connected components numbered from 1, largest first; 0 outside the mask."""
    mask_HW = np.asarray(mask_HW, np.bool_)
    row, start, end = _runs(mask_HW)
    parent = list(range(len(row)))
    for upper, lower in _touching_runs(row, start, end):
        parent[_root(parent, upper)] = _root(parent, lower)
    roots = np.array([_root(parent, run) for run in range(len(parent))], np.int64)
    _, component = np.unique(roots, return_inverse=True)
    sizes = np.bincount(component, end - start) if len(row) else np.empty(0)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(1, len(sizes) + 1)
    labels_HW = np.zeros(mask_HW.shape, np.int64)
    labels_HW[mask_HW] = np.repeat(rank[component], end - start)
    return labels_HW


def largest_components(mask_HW: BoolArray, count: int = 1, min_share: float = 0.0) -> BoolArray:
    """The mask with only its largest components.

    Args:
        mask_HW: The mask.
        count: How many components to keep at most.
        min_share: Drop components smaller than this share of the largest.
    """
    labels_HW = label_components(mask_HW)
    sizes = np.bincount(labels_HW.ravel())[1:]
    kept = int(np.sum(sizes[:count] >= min_share * sizes[0])) if sizes.size else 0
    return np.asarray((labels_HW > 0) & (labels_HW <= kept))


def mask_box(mask_HW: BoolArray) -> tuple[float, float, float, float] | None:
    """(xmin, ymin, xmax, ymax) in fractions of width and height; None for an empty mask."""
    rows, columns = np.flatnonzero(mask_HW.any(axis=1)), np.flatnonzero(mask_HW.any(axis=0))
    if rows.size == 0:
        return None
    height, width = mask_HW.shape
    return (
        float(columns[0]) / width,
        float(rows[0]) / height,
        float(columns[-1] + 1) / width,
        float(rows[-1] + 1) / height,
    )


def thin_outline(points_V2: FloatArray, tolerance: float, max_points: int) -> FloatArray:
    """Fewer points of a closed outline, none of the dropped ones further than `tolerance` away if points allow.

    Splits where the outline is farthest from its chord, the worst place first.
    """
    if len(points_V2) <= 4:
        return points_V2
    plane_V = np.append(points_V2, points_V2[:1], axis=0) @ np.array([1, 1j])
    far = int(np.argmax(np.abs(plane_V - plane_V[0])))
    kept = [0, far]
    waiting = [_worst_point(plane_V, 0, far), _worst_point(plane_V, far, len(points_V2))]
    heapq.heapify(waiting)
    while waiting and len(kept) < max_points:
        negative_distance, split, start, end = heapq.heappop(waiting)
        if -negative_distance <= tolerance and len(kept) > 2:
            break
        kept.append(split)
        for first, last in ((start, split), (split, end)):
            if last - first > 1:
                heapq.heappush(waiting, _worst_point(plane_V, first, last))
    return points_V2[sorted(kept)]


def _worst_point(plane_V: npt.NDArray[np.complexfloating], start: int, end: int) -> tuple[float, int, int, int]:
    """(-distance, position, start, end) of the point between two (x + iy) that lies farthest from their chord."""
    chord = plane_V[end] - plane_V[start]
    between_V = plane_V[start + 1 : end] - plane_V[start]
    distance_V = np.abs((between_V * (chord.conjugate() / abs(chord))).imag) if chord else np.abs(between_V)
    worst = int(distance_V.argmax())
    return (-float(distance_V[worst]), start + 1 + worst, start, end)


def _border_points(mask_HW: BoolArray) -> list[FloatArray]:
    """Middles of the border steps of each outline, (V, 2) as (x, y) in pixels.

    A border step is the edge between a pixel inside and one outside, walked with the inside on the right. Where two
    borders meet in a corner the walk turns right, so that pixels which share only a corner stay apart.
    """
    height, width = mask_HW.shape
    padded = np.pad(mask_HW, 1)
    inside = padded[1:-1, 1:-1]
    has = np.zeros((4, height + 1, width + 1), np.bool_)
    has[0, :-1, :-1] = inside & ~padded[:-2, 1:-1]
    has[1, :-1, 1:] = inside & ~padded[1:-1, 2:]
    has[2, 1:, 1:] = inside & ~padded[2:, 1:-1]
    has[3, 1:, :-1] = inside & ~padded[1:-1, :-2]
    direction_E, row_E, column_E = np.nonzero(has)
    next_E = _next_steps(has, direction_E, row_E + STEP_ROW[direction_E], column_E + STEP_COLUMN[direction_E])
    middle_E2 = np.stack([column_E + STEP_COLUMN[direction_E] / 2, row_E + STEP_ROW[direction_E] / 2], axis=1)
    return [middle_E2[loop] for loop in _loops(next_E.tolist())]


def _next_steps(has: BoolArray, direction_E: IntArray, row_E: IntArray, column_E: IntArray) -> IntArray:
    """The position of the step that follows each step, given where each ends."""
    number = np.cumsum(has).reshape(has.shape) - 1
    right_E, left_E = (direction_E + 1) % 4, (direction_E + 3) % 4
    straight_or_left_E = np.where(has[direction_E, row_E, column_E], direction_E, left_E)
    turned_E = np.where(has[right_E, row_E, column_E], right_E, straight_or_left_E)
    return np.asarray(number[turned_E, row_E, column_E])


def _loops(following: list[int]) -> list[list[int]]:
    seen = [False] * len(following)
    loops = []
    for start in range(len(following)):
        loop, step = [], start
        while not seen[step]:
            seen[step] = True
            loop.append(step)
            step = following[step]
        if loop:
            loops.append(loop)
    return loops


def _runs(mask_HW: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """(row, first column, column after the last) of each horizontal run, in reading order."""
    change = np.diff(np.pad(mask_HW, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(change == 1)
    return row, start, np.nonzero(change == -1)[1]


def _touching_runs(row: IntArray, start: IntArray, end: IntArray) -> list[tuple[int, int]]:
    """Pairs of runs in neighbouring rows that share a column."""
    rows, starts, ends = row.tolist(), start.tolist(), end.tolist()
    pairs, upper = [], 0
    for lower in range(len(rows)):
        while rows[upper] < rows[lower] - 1 or (rows[upper] == rows[lower] - 1 and ends[upper] <= starts[lower]):
            upper += 1
        above = upper
        while rows[above] == rows[lower] - 1 and starts[above] < ends[lower]:
            pairs.append((above, lower))
            above += 1
    return pairs


def _root(parent: list[int], run: int) -> int:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run
