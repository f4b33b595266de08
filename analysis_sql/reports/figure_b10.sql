-- Figure B10: accuracies, area under the curve and similar units of AlexNet against width, by regularizer.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy auc similar_units train_accuracy
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'B10')
