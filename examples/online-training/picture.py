"""A picture of the loss over time, as SVG."""

import math

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 60, 34, 44  # margins
LOSS, SAMPLES, GRID = "#0b3c7d", "#c2410c", "#d4d4d4"


def loss_over_time(history, ended_seconds):
    """Loss (logarithmic) and samples of each epoch over seconds, with the end of the stream. `history`: rows of seconds, loss, samples."""
    seconds, losses, samples = zip(*history)
    span, most = max(seconds), max(samples)
    low, high = math.floor(math.log10(min(losses))), math.ceil(math.log10(max(losses)))

    def across(second):
        return LEFT + (WIDTH - LEFT - RIGHT) * second / span

    def upwards(part):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part

    def curve(colour, parts):
        points = " ".join(f"{across(second):.1f},{upwards(part):.1f}" for second, part in zip(seconds, parts))
        return f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="{points}"/>'

    shapes = []
    for power in range(low, high + 1):
        y = upwards((power - low) / max(1, high - low))
        shapes.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
        shapes.append(_text(LEFT - 6, y + 4, f"1e{power}", "end"))
    for number in range(6):
        shapes.append(_text(across(span * number / 5), HEIGHT - BOTTOM + 16, f"{span * number / 5:.0f}", "middle"))
    for part in (0.5, 1):
        shapes.append(_text(WIDTH - RIGHT + 6, upwards(part) + 4, f"{most * part:.0f}", "start", SAMPLES))
    x = across(ended_seconds)
    shapes.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#555" stroke-dasharray="4 3"/>')
    shapes.append(_text(x, TOP - 6, "end of the stream", "middle"))
    shapes.append(curve(SAMPLES, [count / most for count in samples]))
    shapes.append(curve(LOSS, [(math.log10(loss) - low) / max(1, high - low) for loss in losses]))
    shapes.append(_text(LEFT, TOP - 18, "mean squared error", "start", LOSS))
    shapes.append(_text(WIDTH - RIGHT, TOP - 18, "samples", "end", SAMPLES))
    shapes.append(_text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 10, "seconds", "middle"))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
            '<title>Loss of training and samples seen over time</title>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            *shapes,
            "</svg>\n",
        ]
    )


def _text(x, y, words, anchor, colour="#333"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
