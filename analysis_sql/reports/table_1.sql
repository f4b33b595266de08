-- Table 1: how each network was trained, and the accuracy that it reached, by sweep, series and width.
-- grain: sweep_id, series, width
select
    final_trials.sweep_id,
    final_trials.sweep,
    list_aggregate(final_trials.figures, 'string_agg', ', ') as figures,
    final_trials.series,
    final_trials.network,
    final_trials.dataset,
    final_trials.width,
    final_trials.initializer,
    final_trials.regularizer,
    final_trials.labels,
    final_trials.optimizer,
    avg(trials.learning_rate) as learning_rate,
    avg(trials.batch_size)::integer as batch_size,
    max(final_trials.epochs) as epochs,
    avg(trials.epochs_run) as epochs_run,
    max(final_trials.parameters) as parameters,
    count(*) as replicates,
    avg(final_trials.train_accuracy) as train_accuracy,
    stddev_pop(final_trials.train_accuracy) as train_accuracy_std,
    avg(final_trials.test_accuracy) as test_accuracy,
    stddev_pop(final_trials.test_accuracy) as test_accuracy_std
from final_trials
join latest_sweeps using (sweep_id)
join trials using (trial_id)
where final_trials.status = 'done'
group by all
