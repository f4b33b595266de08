-- Figure B3: accuracy, area under the curve and similar units of AlexNet against width, by uniform initializer.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'B3')
