-- Scores of each setting and width over its replicates; deviations over replicates, that of similar units over units.
-- grain: sweep_id, definition, split, series, width
select
    sweep_id,
    sweep,
    figures,
    definition,
    split,
    series,
    variant,
    network,
    dataset,
    initializer,
    optimizer,
    regularizer,
    labels,
    lr_batch_factor,
    epochs,
    teacher_examples,
    parameters,
    width,
    least(nullif(count(auc), 0), nullif(count(similar_units), 0), count(*)) as replicates,  -- the fewest behind a mean
    avg(test_accuracy) as test_accuracy,
    stddev_pop(test_accuracy) as test_accuracy_std,  -- standard deviation over replicates
    avg(train_accuracy) as train_accuracy,
    stddev_pop(train_accuracy) as train_accuracy_std,  -- standard deviation over replicates
    avg(auc) as auc,
    stddev_pop(auc) as auc_std,  -- standard deviation over replicates
    avg(similar_units) as similar_units,  -- mean over units and replicates
    stddev_pop(similar_units) as similar_units_replicate_std,  -- standard deviation over replicates
    avg(similar_units_std) as similar_units_std,  -- standard deviation over units, mean over replicates
    avg(similar_units_sample_std) as similar_units_sample_std,  -- deviation over samples, mean over replicates
    avg(dead_share) as dead_share,
    list(trial_id order by trial_id) as trials  -- their ids
from trial_scores
group by all
