-- Figure 5: area under the curve and similar units by width, of AlexNet and ResNet56 with true and with random labels.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, '5')
