"""One small curve a measure, as SVG: no library, one file."""

WIDTH, HEIGHT, MARGIN, COLUMNS = 360, 140, 34, 2


def panel(name, points, left, top):
    """The curve of (x, y) points in a box of its own."""
    xs, ys = [x for x, _ in points] or [0], [y for _, y in points] or [0]
    least, most = min(ys), max(ys)
    room = (most - least) or 1
    span = (max(xs) - min(xs)) or 1
    curve = " ".join(f"{left + MARGIN + (x - min(xs)) / span * (WIDTH - 2 * MARGIN):.1f},"
                     f"{top + HEIGHT - MARGIN - (y - least) / room * (HEIGHT - 2 * MARGIN):.1f}" for x, y in points)
    return (f'<text x="{left + MARGIN}" y="{top + 20}" font-weight="bold">{name}</text>'
            f'<text x="{left + WIDTH - MARGIN}" y="{top + 20}" text-anchor="end">{least} .. {most}</text>'
            f'<text x="{left + WIDTH - MARGIN}" y="{top + HEIGHT - 14}" text-anchor="end">{max(xs) / 60:.0f} min</text>'
            f'<rect x="{left + MARGIN}" y="{top + MARGIN - 6}" width="{WIDTH - 2 * MARGIN}" '
            f'height="{HEIGHT - 2 * MARGIN + 12}" fill="none" stroke="#ccc"/>'
            f'<polyline points="{curve}" fill="none" stroke="#1f6feb"/>')


def draw(rows, path):
    """Writes the samples' columns over their `seconds`."""
    names = [name for name in rows[0] if name != "seconds"]
    lines = (len(names) + COLUMNS - 1) // COLUMNS
    panels = [panel(name, [(row["seconds"], row[name]) for row in rows if row[name] is not None],
                    index % COLUMNS * WIDTH, index // COLUMNS * HEIGHT) for index, name in enumerate(names)]
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * WIDTH}" height="{lines * HEIGHT}" '
                    f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
                    f'{"".join(panels)}</svg>\n')
