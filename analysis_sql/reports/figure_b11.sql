-- Figure B11: accuracy, area under the curve and similar units of MLPs against width, by optimizer, one row a variant.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels rows=variant test_accuracy auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'B11')
