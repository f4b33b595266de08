-- Figure B13: accuracy, area under the curve and similar units against width, by lr-batch factor k, one row a network.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels rows=variant test_accuracy auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'B13')
