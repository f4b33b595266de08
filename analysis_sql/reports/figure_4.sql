-- Figure 4: area under the curve and similar units against width, of ResNet18 and Inception-v3 on ImageNet.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels auc similar_units
select * exclude (figures)
from scores_by_width
where list_contains(figures, '4')
