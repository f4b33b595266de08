-- Figure Scores: accuracy, area under the curve and similar units against width, of any sweep.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy auc similar_units
select * exclude (figures)
from scores_by_width
