-- Final trials of each sweep, with their settings as figures name them.
-- grain: sweep_id, trial_id
select
    sweeps.sweep_id,
    sweeps.name as sweep,
    sweeps.figures,
    trials.trial_id,
    trials.network,
    trials.dataset,
    trials.width,
    trials.replicate,
    trials.status,
    trials.lr_batch_factor,
    trials.optimizer,
    if(trials.random_labels, 'Random labels', 'True labels') as labels,
    case trials.initializer
        when 'glorot_normal' then 'Glorot Norm'
        when 'glorot_uniform' then 'Glorot Unif'
        when 'he_normal' then 'He Norm'
        when 'he_uniform' then 'He Unif'
        when 'lecun_normal' then 'LeCun Norm'
        when 'lecun_uniform' then 'LeCun Unif'
        else coalesce(
            'σ = ' || regexp_replace(trials.config ->> '$.initializer.options.sigma', '\.0$', ''),
            trials.initializer
        )
    end as initializer,
    coalesce(
        nullif(concat_ws(' + ',
            if(trials.augmentation, 'Data Aug.', null),
            if(trials.dropout > 0, 'Dropout', null),
            if(trials.weight_decay > 0, 'Weight Decay', null)
        ), ''),
        'None'
    ) as regularizer,
    trials.parameters,
    trials.train_accuracy,
    trials.validation_accuracy,
    trials.test_accuracy
from sweeps
join sweep_trials using (sweep_id)
join trials using (trial_id)
where sweep_trials.kind = 'final'
