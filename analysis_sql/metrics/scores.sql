-- Each final trial that is done, once: as the latest sweep with it shows it, with its scores as released, on one split.
-- grain: trial_id
with splits as (
    select sweep_id, arg_max(split, (split = 'test', split)) as split
    from sweep_measurements
    group by all
),

shown as (
    select final_trials.*, splits.split
    from final_trials
    join sweeps using (sweep_id)
    left join splits using (sweep_id)
    where status = 'done'
    qualify row_number() over (
        partition by trial_id
        order by splits.split is not null desc, sweeps.updated_at desc, sweep_id, series
    ) = 1
)

select
    shown.trial_id,
    shown.sweep_id,
    shown.sweep,
    shown.series,
    shown.variant,
    shown.network,
    shown.dataset,
    shown.width,
    shown.replicate,
    shown.initializer,
    shown.optimizer,
    shown.regularizer,
    shown.labels,
    shown.lr_batch_factor,
    shown.learning_rate,
    shown.batch_size,
    shown.epochs,
    shown.epochs_run,
    shown.parameters,
    shown.train_accuracy,
    shown.validation_accuracy,
    shown.test_accuracy,
    shown.split,  -- of what follows: test where the sweep asks for it
    sample_means.auc,
    sample_means.similar_units,
    sample_means.dead_share
from shown
left join sample_means
    on sample_means.sweep_id = shown.sweep_id
    and sample_means.trial_id = shown.trial_id
    and sample_means.split = shown.split
    and sample_means.definition = 'released'
    and sample_means.layer is null
