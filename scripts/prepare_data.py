"""Join the stand-off labels with your own download of the public datasets.

    python scripts/prepare_data.py framing/corpus/real/train.jsonl DOWNLOADS -o real_train.jsonl

DOWNLOADS holds the datasets in the layout of their public repositories; framing/corpus/README.md lists them, with
their licences. The result is in the format that scripts/train.py reads. A table says what could not be matched.
With a file in place of DOWNLOADS, such as the one of scripts/teach.py, the labels are put on its sentences, article by
article of the same id, and the rest of it stays as it is; with --around 1 only the labelled sentences are kept, with a
neighbour on either side. With --detach it goes the other way: a labelled file becomes
stand-off labels, without text.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

from framing.errors import FramingError, run_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="stand-off labels (with --detach: labelled articles)")
    parser.add_argument("downloads", type=Path, help="folder of the downloaded datasets, or articles in the training format")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--around", type=int, metavar="N", help="keep only the labelled sentences and N on either side")
    parser.add_argument("--detach", action="store_true", help="make stand-off labels of a labelled file")
    args = parser.parse_args()

    from framing.data import read_articles, write_articles
    from framing.standoff import annotate, detach, join, passages, read_standoff, sources

    if args.downloads.is_file() and not args.detach:
        labelled = {row["id"]: row for row in read_standoff(args.labels)}
        pairs = [annotate(a, labelled.pop(a.id)) if a.id in labelled else (a, 0) for a in read_articles(args.downloads)]
        articles = [article for article, _ in pairs]
        if args.around is not None:
            articles = [passage for article in articles for passage in passages(article, args.around)]
        write_articles(args.output, articles)
        lost = sum(missing for _, missing in pairs)
        print(f"{args.output}: {len(articles)} articles; not found: {len(labelled)} articles, {lost} sentences of the others")
        return
    if not args.downloads.is_dir():
        raise FramingError(f"{args.downloads}: no such folder; download the datasets that framing/corpus/README.md lists")
    datasets = sources(args.downloads)
    if args.detach:
        rows = [detach(article, datasets.get(article.dataset)) for article in read_articles(args.labels)]
        args.output.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        print(f"{args.output}: {len(rows)} articles without text")
        return

    total, missing, articles = Counter[str](), Counter[str](), []
    for row in read_standoff(args.labels):
        if row["dataset"] not in datasets:
            raise FramingError(f"{args.labels}: unknown dataset {row['dataset']!r}, known are {', '.join(datasets)}")
        article, lost = join(row, datasets[row["dataset"]])
        total[row["dataset"]] += len(row["sentences"])
        missing[row["dataset"]] += lost
        if article:
            articles.append(article)
    write_articles(args.output, articles)
    print(f"{'dataset':<22}{'sentences':>10}{'found':>10}")
    for name, count in sorted(total.items()):
        print(f"{name:<22}{count:>10}{(count - missing[name]) / count:>10.2%}")
    print(f"{args.output}: {len(articles)} articles")


if __name__ == "__main__":
    run_script(main)
