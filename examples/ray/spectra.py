"""Energy spectra of the flow's snapshots, one Ray task each: the tasks take the snapshots from the store where they run."""

import argparse
import csv
import socket
from typing import List, Tuple

import numpy as np
import ray
from smartredis import Client


@ray.remote(num_cpus=1, scheduling_strategy="SPREAD")
def spectrum(step: int) -> Tuple[str, np.ndarray]:
    """Host that it ran on, and the energy of a snapshot by wavenumber, from 1."""
    client = Client(cluster=False)
    name = f"snapshot_{step}"
    if not client.poll_tensor(name, 100, 600):
        raise RuntimeError(f"{name} did not come within a minute")
    velocity = client.get_tensor(name)
    cells = velocity.shape[0]
    energy = np.abs(np.fft.fft2(velocity) / velocity.size) ** 2 / 2.0
    wavenumbers = np.fft.fftfreq(cells, 1.0 / cells)
    k = np.rint(np.hypot(*np.meshgrid(wavenumbers, wavenumbers, indexing="ij"))).astype(int)
    return socket.gethostname(), np.bincount(k.ravel(), energy.ravel())[1 : cells // 2]


def write(path: str, spectra: List[np.ndarray]) -> None:
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["wavenumber"] + [f"snapshot_{step}" for step in range(len(spectra))])
        for index, row in enumerate(np.transpose(spectra)):
            table.writerow([index + 1] + [f"{value:.6e}" for value in row])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshots", type=int, default=12)
    arguments = parser.parse_args()
    ray.init()  # RAY_ADDRESS says where the cluster is
    results = ray.get([spectrum.remote(step) for step in range(arguments.snapshots)])
    spectra = [energy for _, energy in results]
    write("spectra.csv", spectra)
    for host in sorted({host for host, _ in results}):
        print(f"{host}: {sum(1 for one, _ in results if one == host)} spectra")
    print(f"energy falls from {spectra[0].sum():.4f} to {spectra[-1].sum():.4f} m2/s2")


if __name__ == "__main__":
    main()
