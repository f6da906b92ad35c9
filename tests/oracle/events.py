"""Events found frame by frame, as one would by hand; slow, and plain."""

from __future__ import annotations

import math


def stretches(times, known, period, bridge):
    """Lists of rows that belong together."""
    found = []
    if math.isnan(period):
        return found
    for row, (time, is_known) in enumerate(zip(times, known, strict=True)):
        if not is_known or math.isnan(time):
            continue
        limit = max(bridge + period, 1.5 * period) + 1e-6
        if found and time - times[found[-1][-1]] <= limit:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def events(times, values, known, period, bridge, rule):
    """First row, last row, onset and offset in seconds of every event."""
    found = []
    for rows in stretches(times, known, period, bridge):
        ends = [times[following] for following in rows[1:]] + [times[rows[-1]] + period]
        mine, position = [], 0
        while position < len(rows):
            if not values[rows[position]] >= rule.lower:
                position += 1
                continue
            begin = position
            reached = False
            while position < len(rows) and values[rows[position]] >= rule.lower:
                reached = reached or values[rows[position]] >= rule.upper
                position += 1
            if reached:
                onset, offset = times[rows[begin]], ends[position - 1]
                if mine and onset - mine[-1][3] < rule.min_gap_s - 1e-6:
                    mine[-1] = (mine[-1][0], rows[position - 1], mine[-1][2], offset)
                else:
                    mine.append((rows[begin], rows[position - 1], onset, offset))
        found += mine
    return [
        event
        for event in found
        if rule.min_duration_s - 1e-6 <= event[3] - event[2] <= rule.max_duration_s + 1e-6
    ]
