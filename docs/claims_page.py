"""Writes docs/claims.md from the paper's claims and the gallery's verdicts on them: `python docs/claims_page.py`."""

from pathlib import Path

import polars as pl

from autoreg.packaged import packaged_folder

ROOT = Path(__file__).parent.parent
HEAD = """\
# What the paper claims, and what holds here

[reference/claims.csv](../reference/claims.csv) has {count} claims that the paper makes about its figures, in our words.
Of {judged} of them verdicts can say whether they hold. One command puts beside each what the trials in results.db say:

    autoreg report --table claims
    autoreg report --table claims --sweep mlp_10d_init --json

This page is made by `make docs` from that file and from the `table_claims.csv` of sweeps in the
[gallery](../reports/gallery/README.md), those at the paper's scale; nothing else stands in it as a result. {run} of the
claims have one.

## What is judged

Growth with width is judged by the [verdicts](reports.md#verdicts): over replicates, corrected for the number of
hypotheses in a sweep. A claim about several series holds if it holds in each of them; it does not hold if it fails in
one; else, if one of them was not run, it counts as not run. The outcome is *undecided* where there are too few
replicates, and the table says how many would settle it.

| a claim says | it holds if |
|---|---|
| grows, does not grow, shrinks | the verdict on that quantity is so; a quantity that shrinks does not grow |
| either grows | removability or repetition grows; it fails if neither does |
| accuracy does not fall | the error grows by less than a point for each doubling of the width |
| as another series | both grow, or both do not |
| higher than another series | it is at the same widths: each replicate gives the mean difference, tested like a slope |

Accuracies and differences are tested apart, so that they change no verdict. The smallest differences that matter are
those of verdicts: 0.01 of the AUC, a factor of 1.05 of the size of groups of similar units; and a point of accuracy.
Similar units are counted over all vectors where every trial of a series has them; the column `vectors` says so. In
detail: the head of [claims.py](../autoreg/report/claims.py).

How we read the paper:

- Small sigmas are 0.0001 and 0.01, large ones 100 and 10000. The text calls neither 1.
- "Flat" accuracy neither rises nor falls; "flat" removability does not grow.
- Figure 6's caption says that Glorot leads "to repetition without replication". We read: to removability without
  repetition. The text of figure 3 says that Glorot's units become *slightly* more correlated; both are judged.
- Figure 3 shows the last convolutional layer. Claims about it are judged by the mean over all layers.
- "Intermediate results" of LeCun are those of similar units.
- Figure B5's caption repeats the 10,000 dimensions of B4. We read 10, as its title says.

## Text and released code

Each claim is judged in two [definitions](metrics.md#two-definitions): as the paper's *text* defines removable and
repeated units, and as the authors' *released* code measured them. Where both come out the same, the difference does not
matter to the claim. Accuracy has one definition.
"""
TABLE = ["| claim | of | says | released | text |", "|---|---|---|---|---|"]
SAYS = {"as": "as {against}", "higher": "higher than {against}"}


def results() -> pl.DataFrame:
    """Return the outcomes of every sweep in the gallery.

    Raises:
        ValueError: one is of another wording of a claim.
    """
    known = pl.read_csv(packaged_folder("reference") / "claims.csv", infer_schema_length=None)
    frames = []
    for path in sorted(ROOT.glob("reports/gallery/*/table_claims.csv")):
        frame = pl.read_csv(path, infer_schema_length=None)
        if not frame.join(known, on=known.columns, how="anti", nulls_equal=True).is_empty():
            raise ValueError(f"{path} is of other claims than reference/claims.csv; `autoreg report --table claims`")
        ran = frame.filter(pl.col("sweep_id").is_not_null(), ~pl.col("outcome").is_in(["not run", "not judged"]))
        frames.append(ran.with_columns(folder=pl.lit(path.parent.name)))
    return pl.concat(frames, how="vertical_relaxed")


def described(claim: dict[str, str], found: list[dict[str, str]]) -> str:
    """Return a claim's row."""
    outcomes = {
        definition: "; ".join(f"**{row['outcome']}**" for row in found if row["definition"] == definition)
        for definition in ("released", "text")
    }
    nothing = "not run" if claim["says"] else "not judged"
    says = f"{claim['quantity']}: {SAYS.get(claim['says'], claim['says']).format(**claim)}" if claim["says"] else ""
    about = f"{claim['claim']}. {claim['words']} ({claim['place']})"
    cells = [about, claim["series"] or "", says, *(text or nothing for text in outcomes.values())]
    return f"| {' | '.join(cells)} |"


def by_figure(claims: list[dict[str, str]], found: list[dict[str, str]]) -> list[str]:
    lines = ["", "## The claims"]
    for figure in dict.fromkeys(claim["figure"] for claim in claims):
        lines += ["", f"### Figure {figure}", "", *TABLE]
        of_it = [claim for claim in claims if claim["figure"] == figure]
        lines += [described(claim, [row for row in found if row["claim"] == claim["claim"]]) for claim in of_it]
    return lines


def behind(found: list[dict[str, str]]) -> list[str]:
    """Return what each outcome is made of."""
    lines = ["", "## Behind the outcomes", "", "| claim | sweep | definition | series | replicates needed |"]
    lines += ["|---|---|---|---|---|"]
    for row in found:
        sweep = f"[{row['sweep']}](../reports/gallery/{row['folder']})"
        needed = row["replicates_needed"] or ""
        lines.append(f"| {row['claim']} | {sweep} | {row['definition']} | {row['found']} | {needed} |")
    return lines


def still_open(claims: list[dict[str, str]], found: list[dict[str, str]]) -> list[str]:
    known = {row["claim"] for row in found if row["outcome"] != "undecided"}
    judged = [claim for claim in claims if claim["says"]]
    wait = dict.fromkeys(claim["figure"] for claim in judged if claim["claim"] not in {row["claim"] for row in found})
    return [
        "",
        "## What stays open",
        "",
        f"- {len(judged) - len(known)} of the {len(judged)} claims are not decided here.",
        f"- Without any result here: figures {', '.join(wait)}.",
        "- No verdict speaks of single layers (B6 to B9), of training on after convergence (B2), of the number of",
        "  parameters (B1), of one network's curve (2), nor of single doublings of the width. Their figures show them.",
        "  How much samples differ is in the view `similar_units_spread`; what a network fits, in table 1.",
        "- A trend needs three widths. The batch size 4096 of figure B12 has two, so it stays undecided.",
    ]


def page() -> str:
    claims = pl.read_csv(packaged_folder("reference") / "claims.csv", infer_schema_length=None).to_dicts()
    found = results().to_dicts()
    judged = sum(claim["says"] is not None for claim in claims)
    head = HEAD.format(count=len(claims), judged=judged, run=len({row["claim"] for row in found}))
    return "\n".join([head.rstrip(), *by_figure(claims, found), *behind(found), *still_open(claims, found)]) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("claims.md").write_text(page(), encoding="utf-8")
