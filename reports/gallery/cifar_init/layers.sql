-- Scores of each layer against width, by initializer.
-- grain: sweep_id, definition, split, series, width, layer
-- drawing: layer_panels similar_units dead_share
select * exclude (figures, auc, auc_std)
from layer_scores_by_width
where list_contains(figures, '6')
