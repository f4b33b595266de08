-- Figure B12: accuracy, area under the curve and similar units of ResNet18 against width, by batch size.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'B12')
