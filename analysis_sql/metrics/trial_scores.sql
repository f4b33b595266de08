-- Each final trial's accuracy, area under the curve and similar units, means over the samples.
-- grain: sweep_id, trial_id, series, definition, split
select
    sweep_id,
    sweep,
    figures,
    trial_id,
    network,
    dataset,
    width,
    replicate,
    status,
    lr_batch_factor,
    variant,
    epochs,
    teacher_examples,
    optimizer,
    labels,
    initializer,
    regularizer,
    parameters,
    train_accuracy,
    validation_accuracy,
    test_accuracy,
    series,
    definition,
    split,
    auc,
    similar_units,
    similar_units_std,
    similar_units_sample_std,
    dead_share
from sample_means
join final_trials using (sweep_id, trial_id)
where layer is null
