-- Figure 5: AUC, similar units and labels learnt against width, of AlexNet and ResNet56 with true and random labels.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels auc similar_units train_accuracy
select * exclude (figures)
from scores_by_width
where list_contains(figures, '5')
