"""Score JSON lines with Spark: python scripts/score_spark.py 'articles/*.jsonl' scored [model folder]

An example to adapt. It needs pyspark, Java and framing on every machine; `scored` becomes a folder of JSON lines.
"""

import sys
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import SparkSession

from framing.distributed import score_rows
from framing.results import to_json

source, target, *model = sys.argv[1:]


def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        records = score_rows(batch.to_pylist(), *model)
        yield pa.RecordBatch.from_pydict({"record": [to_json(record) for record in records]})


spark = SparkSession.builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", 100).getOrCreate()
articles = spark.read.json(source).repartition(4 * spark.sparkContext.defaultParallelism)
articles.mapInArrow(score, "record string").write.text(target)
