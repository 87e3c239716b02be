"""Draws the vorticity of a field."""

import numpy as np

from png import encode_png

PIXELS = 6  # a cell
WINDOW = (6, 24, 4)  # from and to along the stream, and to each side, in diameters
SCALE = 2.5  # vorticity, in U/D, at which three quarters of the colour scale are used up
# Blue through white to red.
ANCHORS = ["0b3c7d", "2b6cb0", "6aa6d6", "b5d4ea", "f7f7f7", "f6c3a6", "e07f63", "bd3a3a", "7a0c25"]
COLOURS = np.array([[int(anchor[at : at + 2], 16) for at in (0, 2, 4)] for anchor in ANCHORS])
CYLINDER = np.array([64, 68, 75])


def vorticity(u, v, cells):
    """dv/dx - du/dy by central differences, in U/D."""
    return (np.gradient(v, axis=1) - np.gradient(u, axis=0)) * cells


def draw(field, cells, centre):
    """A PNG file of the wake; `field` is [y, x] from below."""
    left, right, half = WINDOW
    x = np.arange(left * cells, right * cells, 1 / PIXELS) + 0.5 / PIXELS
    y = np.arange((centre[1] + half) * cells, (centre[1] - half) * cells, -1 / PIXELS) - 0.5 / PIXELS
    smooth = _cubic(y, len(field)) @ field @ _cubic(x, field.shape[1]).T
    rgb = _colour(np.tanh(smooth / SCALE))
    # The cylinder's edge is as wide as a pixel.
    distance = np.hypot(*np.meshgrid(x - centre[0] * cells, y - centre[1] * cells)) - cells / 2
    covered = np.clip(0.5 - distance * PIXELS, 0, 1)[..., np.newaxis]
    return encode_png(np.round(rgb * (1 - covered) + CYLINDER * covered).astype(np.uint8))


def _colour(value):
    """Red, green, blue of values from -1 to 1."""
    place = (value + 1) * 0.5 * (len(COLOURS) - 1)
    return np.stack([np.interp(place, np.arange(len(COLOURS)), column) for column in COLOURS.T], axis=-1)


def _cubic(places, count):
    """Weights of the cells' centres for each place: Catmull and Rom's cubic."""
    weights = np.zeros((len(places), count), np.float32)
    below = np.floor(places - 0.5).astype(int)
    t = places - 0.5 - below
    parts = [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3]
    for offset, part in zip((-1, 0, 1, 2), parts):
        np.add.at(weights, (np.arange(len(places)), np.clip(below + offset, 0, count - 1)), 0.5 * part)
    return weights
