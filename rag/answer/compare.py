"""Which quantities of a claim are not in its passages, as they are written."""

from collections.abc import Sequence

from rag.answer.numbers import Quantity, quantities

_COUNTED = frozenset({"次", "页", "张", "剂", "条", "人", "片", "粒", "支", "批"})
_SPANS = frozenset({"天", "周", "年", "个月"})
_THINGS = frozenset({"例", "台", "间", "辆", "袋", "针", "版", "届", "件", "包"})


def missing_quantities(text: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The quantities of ``text``, as written, that no text of ``evidence`` holds."""
    present = [quantity for passage in evidence for quantity in quantities(passage)]
    missing = [
        q.text for q in quantities(text) if not (_is_article(q, present) or _is_present(q, present))
    ]
    return tuple(dict.fromkeys(missing))


def _is_article(quantity: Quantity, present: Sequence[Quantity]) -> bool:
    """一次, 一天, 两条 may count nothing; nor may 一间 and 一台, where the passage counts no such
    things: an 一台 beside its 三台 is a number."""
    if quantity.per:
        return False
    if quantity.text[0] == "一" and quantity.unit in _THINGS:
        return all(found.unit != quantity.unit for found in present)
    return (quantity.text[0] == "一" and quantity.unit in _COUNTED | _SPANS) or (
        quantity.text[0] == "两" and quantity.unit in _COUNTED
    )


def _is_present(wanted: Quantity, present: Sequence[Quantity]) -> bool:
    if wanted.kind == "date":
        return _is_date_present(wanted, present)
    return any(_matches(wanted, found) for found in present)


def _matches(wanted: Quantity, found: Quantity) -> bool:
    if wanted.kind == "name" or found.kind == "name":
        return wanted.kind == found.kind and wanted.unit == found.unit
    if wanted.kind == "number" and found.kind == "date":
        # "第5日" of 3月5日, "2025" of 2025年
        parts = {"年": found.values[:1], "天": found.values[2:], "": found.values}
        return wanted.values[0] != 0 and wanted.values[0] in parts.get(wanted.unit, ())
    if wanted.unit and found.unit and wanted.unit != found.unit:
        return False
    if wanted.per and found.per and wanted.per != found.per:
        return False
    if wanted.kind == "number" and found.kind == "range":
        return wanted.values[0] in found.values
    return wanted.kind == found.kind and wanted.values == found.values


def _is_date_present(wanted: Quantity, present: Sequence[Quantity]) -> bool:
    """A date that says at least as much, or its year and its month and day apart; the month of
    one date never vouches for the year of another."""
    dates = [found.values for found in present if found.kind == "date"]
    year, *rest = wanted.values
    if any(_agrees(wanted.values, values) for values in dates):
        return True
    years = {values[0] for values in dates}
    years |= {q.values[0] for q in present if q.kind == "number" and q.unit == ""}
    if not any(rest):
        return year in years
    yearless = [values[1:] for values in dates if values[0] == 0]
    return (year == 0 or year in years) and any(_agrees(rest, values) for values in yearless)


def _agrees(wanted: Sequence[object], found: Sequence[object]) -> bool:
    return all(want in (0, have) for want, have in zip(wanted, found, strict=True))
