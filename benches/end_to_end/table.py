"""Results as a table in Markdown."""

from statistics import median

HEAD = [
    "work", "CPU, us: min / median / max", "a second", "peak, MiB", "CPU beside", "a second beside", "goal", "met",
]
WORDS = {"cpu": "CPU", "rate": "a second", "peak": "peak", "cpu_ratio": "CPU beside", "rate_ratio": "a second beside"}


def shown(works, results):
    """A row a work; works that could not be done are left out."""
    rows = [row(work, results) for work in works if all(results[work.name])]
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def figures(work, results):
    """The medians, and those of the ratios of each round to the work beside it."""
    own = results[work.name]
    found = {name: median(getattr(one, name) for one in own) for name in ("cpu", "rate", "peak")}
    others = results.get(work.beside) or []
    if others and all(others):
        for name in ("cpu", "rate"):
            ratios = [getattr(one, name) / getattr(other, name) for one, other in zip(own, others)]
            found[f"{name}_ratio"] = median(ratios)
    return found


def row(work, results):
    found = figures(work, results)
    cpu = [one.cpu for one in results[work.name]]
    ratio = lambda name: f"{found[name]:.2f} x" if name in found else ""  # noqa: E731
    goals = [goal for goal in work.goals if goal.figure in found]
    return [
        f"`{work.name}`: {work.what}",
        f"{min(cpu):.2f} / {median(cpu):.2f} / {max(cpu):.2f} a {work.unit}",
        f"{found['rate']:,.0f}",
        f"{found['peak']:.0f}",
        f"{ratio('cpu_ratio')} {f'`{work.beside}`' if 'cpu_ratio' in found else ''}".strip(),
        ratio("rate_ratio"),
        ", ".join(words(goal) for goal in goals),
        "".join(verdict(goals, found)),
    ]


def name(goal):
    return goal.words or WORDS[goal.figure]


def words(goal):
    bound = f"at most {goal.most:g}" if goal.most is not None else f"at least {goal.least:g}"
    return f"{name(goal)} {bound}"


def verdict(goals, found):
    missed = [name(goal) for goal in goals if not goal.is_met(found[goal.figure])]
    if not goals:
        return ""
    return f"no: {', '.join(missed)}" if missed else "yes"


def in_short(work, result):
    return "not done" if result is None else f"{result.cpu:.2f} a {work.unit}, {result.rate:,.0f}/s, {result.peak:.0f} MiB"
