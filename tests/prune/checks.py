"""check(): one line for each thing a work_*.py has tried.

Why: the lines of the untouched and of the pruned layer are compared, and a wrong result
must also be seen when it is the same in both.
How: check(NAME, GOT, WANT) prints NAME and GOT, numbers to six digits, because a layer may
compute with another OpenBLAS afterwards. Where GOT is not WANT the script ends with status 1.
Without WANT the line is compared only.
"""

import sys

MISSING = object()


def brief(value):
    """The value as text that rounding errors do not change."""
    if hasattr(value, "item") and not getattr(value, "ndim", 1):
        value = value.item()  # a number of numpy's, which may be True
    if isinstance(value, (str, bytes, bool, type(None))):
        return repr(value)
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (brief(key), brief(value[key])) for key in value)
    if isinstance(value, (list, tuple)) or hasattr(value, "tolist") and getattr(value, "ndim", 0):
        return "[%s]" % ", ".join(map(brief, value))
    try:
        number = complex(value)
    except (TypeError, ValueError):
        return str(value)
    parts = ["%.6g" % (0.0 if abs(part) < 1e-9 else part) for part in (number.real, number.imag)]
    return parts[0] if parts[1] == "0" else "%s%+sj" % (parts[0], parts[1])


def check(name, got, want=MISSING):
    if want is not MISSING and brief(got) != brief(want):
        print("not ok %s: %s, not %s" % (name, brief(got), brief(want)))
        sys.exit(1)
    print("%s: %s" % (name, brief(got)))
