"""Score unlabelled articles with teachers, as soft labels to train a smaller model on.

    zcat articles.jsonl.gz | python scripts/teach.py runs/teacher - --known real_train.jsonl -o runs/pool.jsonl

TEACHER is a trained folder; several, separated by commas, are averaged. ARTICLES is what `framing score` reads. Writes
the training format with `annotated: false` and `scores`; name the file under `data.train` of a config. Only the first
`--sentences` of an article are scored: news puts first what matters, and articles are worth more than their tails. The
rest stands behind them without scores, up to the first known sentence; an article with one near its start is left out.
"""

import argparse
import sys
from pathlib import Path

from framing.errors import FramingError, run_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teachers", metavar="TEACHER[,TEACHER…]")
    parser.add_argument("articles", metavar="ARTICLES")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=16, help="of each article, from its start (default: 16)")
    parser.add_argument("--known", type=Path, action="append", default=[], help="labelled articles, which are left out")
    args = parser.parse_args()

    from framing.articles import read_articles
    from framing.data import read_articles as read_labelled
    from framing.data import write_articles
    from framing.progress import with_progress
    from framing.teaching import teach
    from framing.torch_runtime import TorchRuntime

    teachers = [TorchRuntime(Path(folder), bf16=True) for folder in args.teachers.split(",")]
    texts = (sentence.text for path in args.known for article in read_labelled(path) for sentence in article.sentences)
    known = {text for text in texts if len(text) > 60}  # shorter ones recur in any newspaper
    items = with_progress(read_articles([args.articles]), shown=sys.stderr.isatty())
    written = write_articles(args.output, teach(items, teachers, args.sentences, known))
    if not written:
        raise FramingError(f"{args.articles}: no article in it that can be read and is not known; nothing to teach with")
    print(f"{args.output}: {written} articles")


if __name__ == "__main__":
    run_script(main)
