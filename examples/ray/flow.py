"""Decaying turbulence in a periodic box, by random phases: each snapshot goes into the store."""

import argparse

import numpy as np
from smartredis import Client

CELLS = 64


def snapshot(step: int, rng: np.random.Generator) -> np.ndarray:
    """Velocity along x on a square of CELLS x CELLS cells, in m/s; its energy decays with the step."""
    wavenumbers = np.fft.fftfreq(CELLS, 1.0 / CELLS)
    k = np.hypot(*np.meshgrid(wavenumbers, wavenumbers, indexing="ij"))
    k[0, 0] = np.inf
    amplitude = k ** (-4.0 / 3.0) * np.exp(-0.002 * step * np.where(np.isinf(k), 0.0, k) ** 2)
    phases = np.exp(2j * np.pi * rng.random((CELLS, CELLS)))
    return np.real(np.fft.ifft2(amplitude * phases)) * CELLS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=12)
    arguments = parser.parse_args()
    client = Client(cluster=False)
    rng = np.random.default_rng(7)
    for step in range(arguments.snapshots):
        client.put_tensor(f"snapshot_{step}", snapshot(step, rng))
    print(f"{arguments.snapshots} snapshots are in the store")


if __name__ == "__main__":
    main()
