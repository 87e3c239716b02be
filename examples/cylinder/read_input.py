"""Reads cylinder.in: lines of the form `key = value`; what follows # is a remark."""

KEYS = {"reynolds": float, "cells": int, "speed": float, "end_time": float, "interval": float}


def read_input(file):
    values = {}
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            text = line.split("#")[0].strip()
            if not text:
                continue
            key, _, value = (part.strip() for part in text.partition("="))
            if key not in KEYS or key in values:
                raise ValueError(f"{file}:{number}: '{key}' is unknown or given twice; known: {', '.join(KEYS)}")
            try:
                values[key] = KEYS[key](value)
            except ValueError:
                raise ValueError(f"{file}:{number}: {key} = '{value}' is not a number") from None
    missing = [key for key in KEYS if key not in values]
    if missing:
        raise ValueError(f"{file}: missing: {', '.join(missing)}")
    return values
