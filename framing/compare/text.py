"""A comparison in plain sentences: what differs, what cannot be said, and what the figures rest on."""

from __future__ import annotations

from dataclasses import dataclass

from framing.compare.comparison import UNVERIFIED, Comparison, Group, Share
from framing.compare.differences import MAX_PAIRED_GROUPS, Difference

#: A difference holds where its corrected p-value is at most this.
ALPHA = 0.05

REST = "all others"
_LONGEST_NAME = 48
_NAMED = 5


@dataclass(frozen=True)
class Wording:
    """How a measure is called, what it counts, and what that does: "12% of `unit` `verb`"."""

    title: str
    verb: str
    unit: str = "sentences"


_WORDINGS = {
    "official_claim": Wording("Official claims", "pass on what a public authority says"),
    "independent_verification": Wording("Verification", "say whether a claim stands up"),
    "loaded_terminology": Wording("Loaded terms", "carry loaded terms"),
    "blame_attribution": Wording("Blame", "blame somebody"),
    UNVERIFIED: Wording(
        "Unchecked official claims", "stand in an article that nowhere says whether a claim stands up", "official claims"
    ),
}


def wording(measure: str) -> Wording:
    """The words for a measure; for a label that the codebook does not know, its name."""
    return _WORDINGS.get(measure, Wording(short(measure), f"carry the label {short(measure)}"))


def short(name: str) -> str:
    """A group's name, cut to what fits a line."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def field_name(by: str) -> str:
    """The field as a word in a sentence: `meta.desk` is the desk."""
    return short(by.removeprefix("meta."))


def percent(share: float) -> str:
    """A share in 0…1 as per cent, with a decimal below ten."""
    return f"{share:.1%}" if 0 < round(share, 3) < 0.1 else f"{share:.0%}"


def percent_interval(share: Share) -> str:
    """ "12% (9–15)", without the brackets where there is no interval, "none" without a total."""
    if share.share is None:
        return f"no {wording(share.measure).unit}"
    if share.low is None or share.high is None:
        return percent(share.share)
    digits = 1 if share.share < 0.1 else 0
    return f"{percent(share.share)} ({100 * share.low:.{digits}f}–{100 * share.high:.{digits}f})"


def p_value(corrected: float, p: float, permutations: int) -> str:
    """ "p = 0.014", "p < 0.001", and "p ≤ 0.014" where no shuffle differed as much, so that more of them would give less."""
    if corrected < 0.001:
        return "p < 0.001"
    return f"p {'≤' if p * (permutations + 1) < 1.5 else '='} {corrected:.3f}"


def holds(difference: Difference) -> bool:
    """Whether chance is an unlikely explanation, after correction for all comparisons."""
    return difference.p_corrected <= ALPHA


def difference_sentence(difference: Difference, comparison: Comparison) -> str:
    """One difference, the larger share first: shares, points, interval, corrected p-value."""
    sides = [(difference.first, difference.first_share), (difference.second or REST, difference.second_share)]
    low, high = difference.low, difference.high
    if difference.difference < 0:
        sides.reverse()
        low, high = (None, None) if low is None or high is None else (-high, -low)
    (more, larger), (less, smaller) = sides
    points = 100 * (larger - smaller)
    digits = 0 if points >= 10 else 1
    words = wording(difference.measure)
    bounds = f" ({_signed(100 * low, digits)} to {_signed(100 * high, digits)})" if low is not None and high is not None else ""
    events = f" on {difference.events} events that both report" if difference.events is not None else ""
    number = len(comparison.differences)
    p = p_value(difference.p_corrected, difference.p, comparison.permutations)
    return (
        f"in {short(more)} {percent(larger)} of {words.unit} {words.verb}, in {short(less)} {percent(smaller)}{events}; "
        f"{points:.{digits}f} points apart{bounds}, {p} after correction for "
        f"{number} comparison{'' if number == 1 else 's'}"
    )


def _signed(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def finding(measure: str, comparison: Comparison) -> str:
    """What a reader should know first of one measure, in one to three sentences."""
    tested = [d for d in comparison.differences if d.measure == measure]
    if not tested:
        return "Not compared; too few articles."
    found = sorted(filter(holds, tested), key=lambda d: (-abs(d.difference), d.first))
    if len(tested) == 1:
        verdict = "They differ" if found else "No difference shown"
        return f"{verdict}: {difference_sentence(tested[0], comparison)}."
    against_rest = tested[0].second is None
    whole = f"{len(tested)} {'groups against all others' if against_rest else 'pairs'}"
    if found:
        verb = "differs" if len(found) == 1 else "differ"
        return f"{len(found)} of {whole} {verb}. The largest difference: {difference_sentence(found[0], comparison)}."
    shares = [(d.first_share, d.first) for d in tested] + [(d.second_share, d.second) for d in tested if d.second is not None]
    (least, lowest), (most, highest) = min(shares), max(shares)
    return (
        f"No difference shown in {whole}. "
        f"The shares go from {percent(least)} ({short(lowest)}) to {percent(most)} ({short(highest)})."
    )


def orderings(measure: str, comparison: Comparison) -> list[str]:
    """All differences that hold: "A more than B, C" for each A, or who is above and below all others."""
    more_than: dict[str, list[str]] = {}
    for difference in comparison.differences:
        if difference.measure == measure and holds(difference):
            names = (short(difference.first), short(difference.second or REST))
            more, less = names if difference.difference > 0 else names[::-1]
            more_than.setdefault(more, []).append(less)
    less_than_rest = more_than.pop(REST, [])
    more_than_rest = [name for name, less in more_than.items() if less == [REST]]
    if less_than_rest or more_than_rest:
        lines = [("more", more_than_rest), ("less", less_than_rest)]
        return [f"{which} than all others: {', '.join(names)}" for which, names in lines if names]
    ranked = sorted(more_than, key=lambda name: -len(more_than[name]))
    return [f"{name} more than {', '.join(more_than[name])}" for name in ranked]


def pairs(comparison: Comparison) -> list[tuple[str, list[Difference]]]:
    """The differences of each comparison under a heading, those with the most that hold first."""
    by_pair: dict[str, list[Difference]] = {}
    for difference in comparison.differences:
        by_pair.setdefault(f"{short(difference.first)} and {short(difference.second or REST)}", []).append(difference)
    return sorted(by_pair.items(), key=lambda item: (-sum(map(holds, item[1])), item[0]))


def overview(comparison: Comparison) -> str:
    """One sentence: how much was compared."""
    groups, articles = comparison.groups, sum(group.articles for group in comparison.groups)
    sentences = sum(group.sentences for group in groups)
    number = f"{len(groups):,} group{'' if len(groups) == 1 else 's'}"
    return f"{articles:,} articles with {sentences:,} sentences, in {number} by {field_name(comparison.by)}."


def warnings(comparison: Comparison) -> list[str]:
    """What keeps the figures from saying more, the weightiest first."""
    found = []
    small = [group for group in comparison.groups if not group.enough]
    if small:
        listed = ", ".join(f"{short(group.name)} ({group.articles})" for group in _largest(small)[:_NAMED])
        more = f" and {len(small) - _NAMED} more" if len(small) > _NAMED else ""
        found.append(
            f"Too few articles to say anything (fewer than {comparison.min_articles}): {listed}{more}. They get neither "
            "interval nor test."
        )
    if len(comparison.groups) - len(small) < 2:
        found.append(f"There are no two groups with at least {comparison.min_articles} articles, so nothing was compared.")
    else:
        enough = len(comparison.groups) - len(small)
        possible = enough if enough > MAX_PAIRED_GROUPS else enough * (enough - 1) // 2
        missing = possible - len({(d.first, d.second) for d in comparison.differences})
        if missing:
            why = "that both report" if comparison.pair else "with anything to count"
            unit = f"{'events' if comparison.pair else 'articles'} {why}"
            found.append(f"{missing} of {possible} comparisons have fewer than {comparison.min_articles} {unit}: not tested.")
    if len(comparison.models) > 1:
        found.append(
            f"Scored by {len(comparison.models)} models ({', '.join(map(short, comparison.models))}): differences may be theirs."
        )
    left_out = [
        (comparison.without_field, ("has", "have"), f"no single value in the field {short(comparison.by)}"),
        (comparison.without_event, ("has", "have"), f"no single value in the field {short(comparison.pair or '')}"),
        (comparison.not_scored, ("was", "were"), "not scored"),
        (comparison.duplicates, ("repeats", "repeat"), "the text of another one of the group"),
    ]
    for count, verb, rest in left_out:
        if count:
            found.append(f"Left out: {count:,} {'article' if count == 1 else 'articles'} that {verb[count > 1]} {rest}.")
    return found


def method(comparison: Comparison) -> list[str]:
    """How the figures were made, for whoever quotes them."""
    test = (
        "a paired permutation test that swaps the two sides' articles event by event"
        if comparison.pair
        else "a permutation test that shuffles articles between the two sides (studentised difference)"
    )
    return [
        f"Intervals: 95 %, from {comparison.resamples:,} bootstrap draws of whole articles; not corrected for the number of "
        "comparisons, and somewhat too narrow for groups of few articles.",
        f"Differences: {test}, {comparison.permutations:,} shuffles, p-values corrected by Holm's method for all "
        f"{len(comparison.differences)} comparisons; they hold at {ALPHA} or below. One that is not shown can still be there.",
        "Typical words: words of loaded terms, log-odds ratio against all other groups with an informative Dirichlet prior "
        "(Monroe, Colaresi and Quinn 2008); z is in standard errors, not corrected.",
        "Names are evidence words with case, articles and pronouns taken away; different names of one person count apart.",
        "All counts are of sentences that the model marked. It errs, and may err more on one group than on another: read "
        "sentences before you quote a difference.",
    ]


def _largest(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (-group.articles, group.name))
