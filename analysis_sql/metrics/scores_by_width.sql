-- Scores of each setting and width over its replicates; deviations over replicates, that of similar units over units.
-- grain: sweep_id, definition, split, series, width
select
    sweep_id,
    sweep,
    figures,
    definition,
    split,
    series,
    network,
    dataset,
    initializer,
    optimizer,
    regularizer,
    labels,
    lr_batch_factor,
    width,
    count(*) as replicates,
    avg(test_accuracy) as test_accuracy,
    stddev_pop(test_accuracy) as test_accuracy_std,
    avg(train_accuracy) as train_accuracy,
    stddev_pop(train_accuracy) as train_accuracy_std,
    avg(auc) as auc,
    stddev_pop(auc) as auc_std,
    avg(similar_units) as similar_units,
    stddev_pop(similar_units) as similar_units_replicate_std,
    avg(similar_units_std) as similar_units_std,
    avg(dead_share) as dead_share,
    list(trial_id order by trial_id) as trials
from trial_scores
group by all
