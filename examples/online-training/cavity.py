"""Lid-driven cavity on a D2Q9 lattice with numpy: two relaxation times, half-way bounce-back, moving lid."""

import numpy as np

LID = 0.1  # velocity of the lid, in cells a step
GRID = 32  # cells a side of the fields that are put into the store
INTERVAL = 0.2  # between them, in L/U
MAGIC = 3 / 16
#              0  1  2  3  4  5  6  7  8        6 2 5
CX = np.array([0, 1, 0, -1, 0, 1, -1, -1, 1])  # 3 0 1
CY = np.array([0, 0, 1, 0, -1, 1, 1, -1, -1])  # 7 4 8
WEIGHT = np.array([4 / 9] + [1 / 9] * 4 + [1 / 36] * 4)
PAIRS = [(1, 3), (2, 4), (5, 7), (6, 8)]


class Cavity:
    """A square cavity of `cells` x `cells`, fluid at rest, whose lid y = 1 has just begun to move in x."""

    def __init__(self, cells, reynolds):
        self.cells, self.steps = cells, 0
        distance = 3 * LID * cells / reynolds
        self.even, self.odd = 1 / (distance + 0.5), 1 / (MAGIC / distance + 0.5)
        # Deviations from the populations at rest, [direction, y, x], one cell beyond each wall.
        self.f = np.zeros((9, cells + 2, cells + 2))
        self._bounce_back()

    @property
    def time(self):
        """Time since the lid began to move, in L/U."""
        return self.steps * LID / self.cells

    def advance_to(self, time):
        """Runs to a time in L/U."""
        for _ in range(round(time * self.cells / LID) - self.steps):
            self._collide_and_stream()
            self._bounce_back()
            self.steps += 1

    def field(self):
        """Velocity in units of the lid's, averaged over blocks of cells: float32, [component, y, x], GRID cells a side."""
        inside = self.f[:, 1:-1, 1:-1]
        velocity = np.stack([np.tensordot(CX, inside, 1), np.tensordot(CY, inside, 1)]) / LID
        block = self.cells // GRID
        return velocity.reshape(2, GRID, block, GRID, block).mean(axis=(2, 4)).astype(np.float32)

    def _collide_and_stream(self):
        n = self.cells
        f = np.stack([self.f[q, 1 - CY[q] : n + 1 - CY[q], 1 - CX[q] : n + 1 - CX[q]] for q in range(9)])
        ux, uy = np.tensordot(CX, f, 1), np.tensordot(CY, f, 1)
        rest = f.sum(axis=0) - 1.5 * (ux * ux + uy * uy)
        to = self.f[:, 1:-1, 1:-1]
        to[0] = f[0] - self.even * (f[0] - WEIGHT[0] * rest)
        for a, b in PAIRS:
            along = CX[a] * ux + CY[a] * uy
            even = self.even * (0.5 * (f[a] + f[b]) - WEIGHT[a] * (rest + 4.5 * along * along))
            odd = self.odd * (0.5 * (f[a] - f[b]) - 3 * WEIGHT[a] * along)
            to[a] = f[a] - even - odd
            to[b] = f[b] - even + odd

    def _bounce_back(self):
        f, n, drag = self.f, self.cells, LID / 6
        f[2, 0, 1:-1], f[5, 0, :-2], f[6, 0, 2:] = f[4, 1, 1:-1], f[7, 1, 1:-1], f[8, 1, 1:-1]
        f[4, -1, 1:-1], f[7, -1, 2:], f[8, -1, :-2] = f[2, n, 1:-1], f[5, n, 1:-1] - drag, f[6, n, 1:-1] + drag
        # The side walls come last: the links into the lid's corners are theirs, and at rest.
        f[1, 1:-1, 0], f[5, :-2, 0], f[8, 2:, 0] = f[3, 1:-1, 1], f[7, 1:-1, 1], f[6, 1:-1, 1]
        f[3, 1:-1, -1], f[7, 2:, -1], f[6, :-2, -1] = f[1, 1:-1, n], f[5, 1:-1, n], f[8, 1:-1, n]
