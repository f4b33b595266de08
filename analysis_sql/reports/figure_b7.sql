-- Figure B7: area under the curve and similar units of each layer of ResNet18 against width, one row a series.
-- grain: sweep_id, definition, split, series, width, layer
-- drawing: layer_panels auc similar_units
select * exclude (figures)
from layer_scores_by_width
where list_contains(figures, 'B7') and split_part(network, '(', 1) = 'resnet18'
