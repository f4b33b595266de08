"""Scores of one network by the views of results.db, without a sweep and without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from polars import selectors as cs

from autoreg.database.connection import in_memory, query
from autoreg.database.ingest import bring_in, insert, insert_rows
from autoreg.errors import ConfigError
from autoreg.runs.folder import TrialFolder
from autoreg.runs.records import Layer

#: Scores of each layer, whatever metrics there are; deviations are left out of all that is shown of one network.
LAYER_SCORES = """
    select split, definition, layer, units, sample_means.* exclude (sweep_id, trial_id, definition, split, layer)
    from sample_means
    join layers using (trial_id, layer)
    order by split, definition, layer_index
"""


@dataclass(frozen=True)
class Measures:
    """What was measured of a model, and its scores as the views of results.db define them.

    Attributes:
        rows: by metric, what it returned.
        layers: the network's measured layers, in their order.
    """

    rows: Mapping[str, pl.DataFrame]
    layers: Sequence[Layer]

    def __repr__(self) -> str:
        return f"<{self._summary()}>\n{self.by_layer()}"

    def _repr_html_(self) -> str:
        return f"<p>{self._summary()}</p>{self.by_layer()._repr_html_()}"

    def _summary(self) -> str:
        [scores] = self.scores().to_dicts()
        numbers = [f"{name} {'none' if value is None else f'{value:.4g}'}" for name, value in scores.items()]
        return f"measures as released: {', '.join(numbers)}"

    def scores(self, definition: str = "released") -> pl.DataFrame:
        """Return one row: auc (removable units, in [0, 1]), similar_units (repeated units), dead_share.

        Args:
            definition: `released` or `text`, of both.
        """
        columns = "definition, sample_means.* exclude (sweep_id, trial_id, definition, split, layer)"
        return self._scores(f"select {columns} from sample_means where layer is null", definition)

    def by_layer(self, definition: str = "released") -> pl.DataFrame:
        """Return one row for each measured layer, in their order: layer, units, auc, similar_units, dead_share.

        Args:
            definition: `released` or `text`: of a convolution, the latter drops single applications of its kernels.
        """
        return self._scores(LAYER_SCORES, definition).drop("split")

    def curves(self, definition: str = "released") -> pl.DataFrame:
        """Return the share of unchanged labels by layer and fraction of dropped units, means over the samples.

        Args:
            definition: `released` or `text`.
        """
        columns = "definition, layer, fraction, avg(unchanged) as unchanged"
        return self._scores(f"select {columns} from layer_curves group by all order by all", definition)

    def _scores(self, sql: str, definition: str) -> pl.DataFrame:
        if definition not in ("released", "text"):
            raise ConfigError(f"definition must be released or text, got {definition!r}")
        with in_memory() as connection:
            connection.execute(
                "create or replace view measured_layers as select 'model' as sweep_id, 'model' as trial_id,"
                " null::varchar as only_layer, null::varchar as released_layer, 'network' as released_scope"
            )
            insert(connection, "layers", [{"trial_id": "model", **layer.model_dump()} for layer in self.layers])
            for metric, frame in self.rows.items():
                connection.execute("insert into sweep_measurements values ('model', $1, 'test', $1)", [metric])
                model, measured, split = pl.lit("model"), pl.lit(metric), pl.lit("test")
                labelled = frame.with_columns(trial_id=model, measurement_id=measured, split=split)
                insert_rows(connection, metric, labelled)
            return query(connection, sql).filter(definition=definition).select(~cs.ends_with("_std", "definition"))


def layer_scores(folder: TrialFolder) -> pl.DataFrame:
    """Return a trained trial's scores, one row for each split that is measured, definition and layer.

    Raises:
        DataError: a file of the trial is damaged.
    """
    with in_memory() as connection:
        bring_in(connection, [folder])
        connection.execute("insert into sweep_trials values ('', ?, '', 'final')", [folder.trial_id])
        # Of a metric that was measured with other options too, one is shown.
        connection.execute(
            "insert into sweep_measurements"
            " select '', metric, split, arg_max(measurement_id, (version, measurement_id)) from measurements"
            " group by metric, split"
        )
        return query(connection, LAYER_SCORES).select(~cs.ends_with("_std"))
