-- Table 1: how each network was trained, and the accuracy that it reached, by sweep, series and width.
-- grain: sweep_id, series, width
select
    sweep_id,
    sweep,
    list_aggregate(figures, 'string_agg', ', ') as figures,
    series,
    network,
    dataset,
    width,
    initializer,
    regularizer,
    labels,
    optimizer,
    avg(learning_rate) as learning_rate,
    avg(batch_size)::integer as batch_size,
    max(final_trials.epochs) as epochs,
    avg(epochs_run) as epochs_run,
    max(final_trials.parameters) as parameters,
    count(*) as replicates,  -- trials behind the means
    avg(train_accuracy) as train_accuracy,
    stddev_pop(train_accuracy) as train_accuracy_std,  -- standard deviation over replicates
    avg(test_accuracy) as test_accuracy,
    stddev_pop(test_accuracy) as test_accuracy_std  -- standard deviation over replicates
from final_trials
where status = 'done'
group by all
