-- Figure B9: area under the curve and similar units of each layer of Inception-v3 while one layer alone is scaled.
-- grain: sweep_id, definition, split, series, width, layer
-- drawing: layer_panels auc similar_units
select * exclude (figures)
from layer_scores_by_width
where list_contains(figures, 'B9') and split_part(network, '(', 1) = 'inception_v3_layer'
