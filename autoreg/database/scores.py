"""What was measured of one network, and its scores by the views of results.db; without torch."""

from dataclasses import dataclass

import polars as pl

from autoreg.database.connection import in_memory, query
from autoreg.errors import ConfigError


@dataclass(frozen=True)
class Measures:
    """What was measured of a model, and its scores as the views of results.db define them.

    Attributes:
        ablation: the rows of `autoreg.metrics.ablation.ablation`.
        similarity: the rows of `autoreg.metrics.similarity.similarity`.
    """

    ablation: pl.DataFrame
    similarity: pl.DataFrame

    def __repr__(self) -> str:
        return f"<{self._summary()}>\n{self.by_layer()}"

    def _repr_html_(self) -> str:
        return f"<p>{self._summary()}</p>{self.by_layer()._repr_html_()}"

    def _summary(self) -> str:
        [scores] = self.scores().to_dicts()
        numbers = [f"{name} {'none' if value is None else f'{value:.4g}'}" for name, value in scores.items()]
        return f"measures as released: {', '.join(numbers)}"

    def scores(self, definition: str = "released") -> pl.DataFrame:
        """Return one row: auc (removable units, in [0, 1]), similar_units (repeated units) and dead_share, in [0, 1].

        Args:
            definition: `released` or `text`, of both.
        """
        return self._query(
            """
            select
                (select avg(auc) from auc where definition = $definition) as auc,
                avg(similar_units) as similar_units,
                sum(dead_units) / sum(unit_count) as dead_share
            from similar_units
            where definition = $definition
            """,
            definition,
        )

    def by_layer(self, definition: str = "released") -> pl.DataFrame:
        """Return one row for each measured layer, in their order: layer, units, auc, similar_units, dead_share.

        Args:
            definition: `released` or `text`: of a convolution, the latter drops single applications of its kernels.
        """
        rows = self._query(
            """
            with areas as (select layer, definition, avg(auc) as auc from auc_by_layer group by all)
            select
                layer,
                any_value(unit_count) as units,
                any_value(auc) as auc,
                avg(similar_units) as similar_units,
                avg(dead_units / unit_count) as dead_share
            from similar_units_by_layer
            join areas using (layer, definition)
            where definition = $definition
            group by layer
            """,
            definition,
        )
        return self.similarity.select(pl.col("layer").unique(maintain_order=True)).join(
            rows, on="layer", maintain_order="left"
        )

    def curves(self, definition: str = "released") -> pl.DataFrame:
        """Return the share of unchanged labels by layer and fraction of dropped units, means over the samples.

        Args:
            definition: `released` or `text`.
        """
        return self._query(
            """
            select layer, fraction, avg(unchanged) as unchanged
            from layer_curves
            where definition = $definition
            group by all
            order by all
            """,
            definition,
        )

    def _query(self, sql: str, definition: str) -> pl.DataFrame:
        if definition not in ("released", "text"):
            raise ConfigError(f"definition must be released or text, got {definition!r}")
        with in_memory({"ablation": self.ablation, "similarity": self.similarity}) as connection:
            return query(connection, sql, definition=definition)
