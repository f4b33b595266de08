-- Figure Scores: accuracy, area under the curve and similar units against width, of a sweep that names no figure.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'Scores')
