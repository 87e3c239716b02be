"""Turbulent channels of several Reynolds numbers at once, on one coarse grid.

Lengths in half heights h, velocities in the mean velocity U: each channel is a column of cells from wall to wall, through
which the same mass flows always. Between the walls the eddy viscosity is Cess's (with the constants of del Alamo and
Jimenez, J. Fluid Mech. 559, 2006); the stress on the walls comes from outside.
"""

import numpy as np

KAPPA, VAN_DRIEST = 0.426, 25.4
STEP = 2.0  # h/U


def total_viscosity(distance, friction_reynolds):
    """Molecular and eddy viscosity over the molecular one, `distance` from the nearer wall in h."""
    eta = 1 - distance
    damping = 1 - np.exp(-distance * friction_reynolds / VAN_DRIEST)
    shape = KAPPA * friction_reynolds / 3 * (1 - eta**2) * (1 + 2 * eta**2) * damping
    return 0.5 + 0.5 * np.sqrt(1 + shape**2)


class Channels:
    def __init__(self, reynolds, cells):
        """`reynolds`: of U and h, one a channel; `cells` from wall to wall."""
        self.viscosity = 1 / np.asarray(reynolds, dtype=np.float64)
        self.width = 2 / cells
        self.u = np.ones((len(self.viscosity), cells))
        faces = np.arange(1, cells) * self.width
        # Between two cells' centres the viscosity varies as much as the stress does not: points for its harmonic mean.
        points = faces[:, None] + (np.arange(16) / 16 + 1 / 32 - 0.5) * self.width
        self.distances = np.minimum(points, 2 - points)

    def at_walls(self):
        """Speed in the cells at the walls, their centres' distance from it, and the viscosity: [walls, 1] each."""
        speed = self.u[:, [0, -1]].reshape(-1, 1)
        return speed, np.full_like(speed, self.width / 2), np.repeat(self.viscosity, 2).reshape(-1, 1)

    def advance(self, stress):
        """One implicit step with this stress on the walls, [walls, 1] in U^2. Returns the largest change of u in U."""
        stress = stress.reshape(-1, 2)
        friction_reynolds = np.sqrt(np.abs(stress).mean(axis=1)) / self.viscosity
        cells = self.u.shape[1]
        ratio = total_viscosity(self.distances, friction_reynolds[:, None, None])
        flux = self.viscosity[:, None] / np.mean(1 / ratio, axis=2) / self.width**2
        matrix = np.zeros((len(self.u), cells, cells))
        inner = np.arange(cells - 1)
        matrix[:, inner, inner] += flux
        matrix[:, inner + 1, inner + 1] += flux
        matrix[:, inner, inner + 1] -= flux
        matrix[:, inner + 1, inner] -= flux
        for side, cell in enumerate((0, -1)):
            matrix[:, cell, cell] += stress[:, side] / self.u[:, cell] / self.width
        matrix += np.eye(cells) / STEP
        # The pressure gradient is what keeps the mean velocity at U.
        free, pushed = np.linalg.solve(matrix, np.stack([self.u / STEP, np.ones_like(self.u)], axis=2)).transpose(2, 0, 1)
        self.gradient = (1 - free.mean(axis=1)) / pushed.mean(axis=1)
        new = free + self.gradient[:, None] * pushed
        change = float(np.abs(new - self.u).max())
        self.u = new
        return change
