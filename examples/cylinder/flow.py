"""Flow past a cylinder on a D2Q9 lattice with numpy: two relaxation times, interpolated bounce-back on the cylinder."""

import numpy as np

# Product of the two relaxations' distances from 1/2: the value at which advection is most exact.
MAGIC = 1 / 12
# The direction at rest, four directions, and the four against them.
CX = np.array([0, 1, 0, 1, -1, -1, 0, -1, 1])
CY = np.array([0, 0, 1, 1, 1, 0, -1, -1, -1])
WEIGHT = np.array([4 / 9] + ([1 / 9] * 2 + [1 / 36] * 2) * 2)
OPPOSITE = np.array([0, 5, 6, 7, 8, 1, 2, 3, 4])
C = np.stack([CX, CY]).astype(np.float32)
COLUMN = WEIGHT.astype(np.float32)[:, None]
SHAPE = (26, 20)  # of the domain, in diameters: along the stream and across
CENTRE = (8, 10)  # of the cylinder in it


class Cylinder:
    """A cylinder of `diameter` cells in a stream of `speed` cells a step."""

    def __init__(self, diameter, speed, reynolds):
        self.diameter, self.speed, self.steps = diameter, speed, 0
        self.nx, self.ny = (length * diameter for length in SHAPE)
        distance = 3 * speed * diameter / reynolds
        self.even, self.odd = np.float32(1 / (distance + 0.5)), np.float32(1 / (MAGIC / distance + 0.5))
        # Deviations from the populations at rest, [direction, y, x], one cell beyond each side.
        self.f = np.zeros((9, self.ny + 2, self.nx + 2), np.float32)
        self.pulled = np.zeros((9, self.ny, self.nx), np.float32)
        self.work, self.along, self.plus, self.minus = (np.zeros((4, self.ny, self.nx), np.float32) for _ in range(4))
        self._find_links()
        self._begin()

    @property
    def time(self):
        """In diameters over speed."""
        return self.steps * self.speed / self.diameter

    def advance(self, count):
        """Runs `count` steps; returns the mean coefficients of drag and lift over them."""
        force = np.zeros(2)
        # A flow that has become unstable tells by its force.
        with np.errstate(all="ignore"):
            for _ in range(count):
                self._bounce_back()
                force += self.force
                self._stream_and_collide()
                self._open_sides()
        self.steps += count
        return force / (0.5 * self.speed**2 * self.diameter * count)

    def velocity(self):
        """u and v at the cells' centres in units of the stream's, [component, y, x]; 0 in the cylinder."""
        inside = self.f[:, 1:-1, 1:-1]
        return np.tensordot(C, inside, 1) / np.float32(self.speed)

    def mask(self):
        """1 in the cylinder, 0 in the fluid, [y, x]."""
        return self.solid[1:-1, 1:-1].astype(np.uint8)

    def _find_links(self):
        """The links that the cylinder's surface cuts, and the part of each that is in the fluid."""
        d = self.diameter
        # Cell 1 is the first inside; its centre lies half a cell from the side.
        y, x = np.mgrid[: self.ny + 2, : self.nx + 2]
        x, y = x - 0.5 - CENTRE[0] * d, y - 0.5 - CENTRE[1] * d
        self.solid = x * x + y * y < d * d / 4
        links = []
        for q in range(1, 9):
            j, i = np.nonzero(~self.solid & np.roll(self.solid, (-CY[q], -CX[q]), (0, 1)))
            # |x + part c| = d/2, the nearer crossing.
            a, b = CX[q] ** 2 + CY[q] ** 2, x[j, i] * CX[q] + y[j, i] * CY[q]
            c = x[j, i] ** 2 + y[j, i] ** 2 - d * d / 4
            links.append((np.full(len(j), q), j, i, (-b - np.sqrt(b * b - a * c)) / a))
        q, j, i, part = (np.concatenate(one) for one in zip(*links))
        near = part < 0.5
        self.out, self.back = self._flat(q, j, i), self._flat(OPPOSITE[q], j + CY[q], i + CX[q])
        # Bouzidi, Firdaouss and Lallemand: what comes back mixes what went out with a neighbour's or with what goes the other way.
        self.other = np.where(near, self._flat(q, j - CY[q], i - CX[q]), self._flat(OPPOSITE[q], j, i))
        self.share = np.where(near, 2 * part, 1 / (2 * part)).astype(np.float32)
        self.directions = np.stack([CX[q], CY[q]])

    def _flat(self, q, j, i):
        return np.ravel_multi_index((q, j, i), self.f.shape)

    def _begin(self):
        """The stream, with a push across behind the cylinder that saves waiting for the wake to become unstable."""
        d = self.diameter
        y, x = np.mgrid[: self.ny + 2, : self.nx + 2] / d
        u = np.where(self.solid, 0, self.speed)
        v = 0.5 * self.speed * np.exp(-((x - CENTRE[0] - 2) ** 2) - (y - CENTRE[1]) ** 2)
        self.f[:] = equilibrium(u, v)
        self.inflow = equilibrium(self.speed, 0.0)[:, None]
        self._open_sides()

    def _bounce_back(self):
        """Writes into the cylinder's cells what streams out of them, and notes the force on it."""
        f = self.f.reshape(-1)
        went = f[self.out]
        back = self.share * went + (1 - self.share) * f[self.other]
        f[self.back] = back
        self.force = self.directions @ (went + back).astype(np.float64)

    def _stream_and_collide(self):
        f, g, ny, nx = self.f, self.pulled, self.ny, self.nx
        for q in range(9):
            g[q] = f[q, 1 - CY[q] : ny + 1 - CY[q], 1 - CX[q] : nx + 1 - CX[q]]
        plus, minus, along, work = self.plus, self.minus, self.along, self.work
        np.add(g[1:5], g[5:], out=plus)
        np.subtract(g[1:5], g[5:], out=minus)
        # Momentum along x, y and the diagonals.
        np.add(minus[0], minus[2], out=along[0])
        along[0] -= minus[3]
        np.add(minus[1], minus[2], out=along[1])
        along[1] += minus[3]
        np.add(along[0], along[1], out=along[2])
        np.subtract(along[1], along[0], out=along[3])
        np.multiply(along, along, out=work)
        rest = plus.sum(axis=0)
        rest += g[0]
        rest -= np.float32(1.5) * (work[0] + work[1])
        work *= np.float32(4.5)
        work += rest
        g[0] += self.even * (np.float32(WEIGHT[0]) * rest - g[0])
        for pair, weight in ((slice(0, 2), WEIGHT[1]), (slice(2, 4), WEIGHT[3])):
            work[pair] *= np.float32(2 * weight)
            along[pair] *= np.float32(6 * weight)
        # A direction and the one against it share the change of what is even, and take that of what is odd with its sign.
        np.subtract(work, plus, out=work)
        work *= np.float32(self.even / 2)
        np.subtract(along, minus, out=along)
        along *= np.float32(self.odd / 2)
        inside = f[:, 1:-1, 1:-1]
        inside[0] = g[0]
        g[1:5] += work
        g[5:] += work
        np.add(g[1:5], along, out=inside[1:5])
        np.subtract(g[5:], along, out=inside[5:])
        f[:, self.solid] = 0

    def _open_sides(self):
        """The undisturbed stream comes in on the left and passes above and below; on the right it leaves at rest's pressure."""
        f = self.f
        for ghost, beside in ((f[:, 0], f[:, 1]), (f[:, -1], f[:, -2]), (f[:, :, 0], f[:, :, 1])):
            # What is not at equilibrium is taken from beside (Guo, Zheng and Shi).
            ghost[:] = beside - equilibrium(*np.tensordot(C, beside, 1)) + self.inflow
        f[:, :, -1] = f[:, :, -2] - COLUMN * f[:, :, -2].sum(axis=0)


def equilibrium(u, v):
    """What the populations at equilibrium have beyond those at rest, at the density of rest."""
    along = np.multiply.outer(CX, u) + np.multiply.outer(CY, v)
    weight = WEIGHT.reshape((9,) + (1,) * (along.ndim - 1))
    return (weight * (3 * along + 4.5 * along * along - 1.5 * (u * u + v * v))).astype(np.float32)
