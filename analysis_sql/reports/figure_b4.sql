-- Figure B4: accuracy, area under the curve and similar units of MLPs on 10,000 dimensions by width and initial sigma.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'B4')
